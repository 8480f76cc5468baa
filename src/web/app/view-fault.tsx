/** Replaces a failed view by the error and the ways out; the frame around it stays. */
import { Alert, Button, Group, Text } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { PageHead } from '../parts/page-head.tsx';

export function ViewFault({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHead title="This view failed" />
      <Alert color="red" role="alert">
        <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>
        <Text size="sm">The server may have been upgraded since this page was loaded.</Text>
        <Group gap="xs" mt="xs">
          <Button size="compact-sm" onClick={() => location.reload()}>
            Reload
          </Button>
          <Button size="compact-sm" variant="default" onClick={reset}>
            Try again
          </Button>
        </Group>
      </Alert>
    </>
  );
}
