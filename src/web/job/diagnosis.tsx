/** Shows why a job failed and what to do. */
import { Alert, Text } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';

type Props = { diagnosis: NonNullable<JobJson['diagnosis']>; isFailure: boolean };

export function Diagnosis({ diagnosis, isFailure }: Props) {
  return (
    <Alert color={isFailure ? 'red' : 'gray'} mb="sm" title={diagnosis.summary} role="alert">
      <Text size="sm" className="as-written">
        {diagnosis.detail}
      </Text>
      <Text size="sm" mt="xs">
        <b>What to do:</b> {diagnosis.what_to_do}
      </Text>
      <Text size="xs" mt="xs">
        Code: <code>{diagnosis.code}</code>
      </Text>
    </Alert>
  );
}
