/** Banner on every view during maintenance: why jobs are held, and how many still run. */
import { Alert, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { queries } from '../app/queries.ts';
import { Ago } from '../parts/clock.tsx';

export function MaintenanceBanner() {
  const { data } = useQuery(queries.maintenance());
  if (!data?.paused) return null;
  const running = data.running_jobs === 1 ? '1 job still runs' : `${data.running_jobs} jobs still run`;
  return (
    <Alert color="yellow" mb="md" title={`Maintenance: ${data.msg}`} role="status">
      <Text size="sm">
        No job starts until maintenance ends;{' '}
        {data.engine === 'PAUSING' ? `${running} to the end.` : 'nothing runs.'} Set by {data.set_by}{' '}
        <Ago time={data.timestamp} />. <Link to="/maintenance">Maintenance</Link>
      </Text>
    </Alert>
  );
}
