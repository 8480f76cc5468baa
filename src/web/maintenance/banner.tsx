/** On every view: that nothing new begins, why, and what still runs. */
import { Alert, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ask } from '../app/queries.ts';
import { Ago } from '../parts/clock.tsx';

export function MaintenanceBanner() {
  const { data } = useQuery(ask.maintenance());
  if (!data?.paused) return null;
  const running = data.running_jobs === 1 ? '1 job still runs' : `${data.running_jobs} jobs still run`;
  return (
    <Alert color="yellow" mb="md" title={`Maintenance: ${data.msg}`} role="status">
      <Text size="sm">
        No job begins until it ends; {data.engine === 'PAUSING' ? `${running} to the end.` : 'nothing runs.'}{' '}
        Set by {data.set_by} <Ago time={data.timestamp} />. <Link to="/maintenance">Maintenance</Link>
      </Text>
    </Alert>
  );
}
