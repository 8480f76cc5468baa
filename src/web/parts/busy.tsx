/** Error of a rejected start; links to the job that holds the target, if one does. */
import { Alert } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Refused } from '../../client/http.ts';
import { Fault } from './query-boundary.tsx';

export function Busy({ error }: { error: Error | null }) {
  if (!error) return null;
  const holder = error instanceof Refused ? holderIn(error.problem['holder']) : undefined;
  if (holder === undefined) return <Fault error={error} />;
  return (
    <Alert color="yellow" title="Another job holds this target" role="alert">
      {error.message}{' '}
      <Link to="/jobs/$id" params={{ id: String(holder) }}>
        Job {holder}
      </Link>
    </Alert>
  );
}

/** Id of the job in the member `holder` of a 409's problem document. */
function holderIn(member: unknown): number | undefined {
  const { id } = (member ?? {}) as { id?: unknown };
  return typeof id === 'number' ? id : undefined;
}
