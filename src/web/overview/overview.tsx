/** Overview of all targets and environments, failures first: last results, active jobs, late data. */
import { Card, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../app/queries.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { useNow } from '../parts/clock.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { PageHead } from '../parts/page-head.tsx';
import { type Row, rowsOf } from './cells.ts';
import { Grid } from './grid.tsx';
import { Stacked } from './stacked.tsx';

export function Overview() {
  const targets = useQuery(queries.targets());
  const active = useQuery(queries.active());
  const schedules = useQuery(queries.schedules());
  const now = useNow();
  const isNarrow = useIsNarrow();
  return (
    <>
      <PageHead title="Overview" />
      <QueryBoundary query={targets} what="targets">
        {(all) => {
          const { envs, rows } = rowsOf(all, active.data ?? [], schedules.data?.schedules ?? [], now);
          return (
            <>
              <Summary rows={rows} />
              {schedules.data?.temporal === 'unreachable' && (
                <Text size="sm" role="status" mb="sm">
                  Cannot reach Temporal: the next firing times are unknown.
                </Text>
              )}
              {rows.length === 0 ? (
                <NoTargets />
              ) : isNarrow ? (
                <Stacked rows={rows} />
              ) : (
                <Grid envs={envs} rows={rows} />
              )}
            </>
          );
        }}
      </QueryBoundary>
    </>
  );
}

function Summary({ rows }: { rows: readonly Row[] }) {
  const cells = rows.flatMap(({ cells: of }) => [...of.values()]);
  const facts = [
    { count: cells.filter(({ rank }) => rank === 0).length, label: 'failed', color: 'red' },
    { count: cells.filter(({ freshness }) => freshness === 'late').length, label: 'late', color: 'orange' },
    { count: cells.filter(({ active }) => active).length, label: 'running or waiting', color: 'blue' },
    {
      count: cells.filter(({ env }) => env.last_job?.status === 'completed').length,
      label: 'last run completed',
      color: 'green',
    },
  ];
  return (
    <Group mb="md" gap="xs" component="section" aria-label="Summary">
      {facts.map(({ count, label, color }) => (
        <Card
          key={label}
          withBorder
          padding="xs"
          style={count > 0 ? { borderTop: `3px solid var(--mantine-color-${color}-7)` } : undefined}
        >
          <Text fw={700} size="xl" className="figures" lh={1}>
            {count}
          </Text>
          <Text size="xs">{label}</Text>
        </Card>
      ))}
    </Group>
  );
}

function NoTargets() {
  return (
    <Text>
      No targets yet: <code>npx syncrator target add &lt;target&gt; &lt;env&gt;</code> asks where records come
      from and where they go, tests both, and writes the files. The page shows the target within seconds.
    </Text>
  );
}
