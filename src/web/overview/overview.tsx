/** Targets × environments, what fails first: what ran, what runs and when it ends, what is late. */
import { Card, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../app/queries.ts';
import { Asked } from '../parts/asked.tsx';
import { useNow } from '../parts/clock.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { PageHead } from '../parts/page-head.tsx';
import { type Row, rowsOf } from './cells.ts';
import { Grid } from './grid.tsx';
import { Stacked } from './stacked.tsx';

export function Overview() {
  const targets = useQuery(ask.targets());
  const active = useQuery(ask.active());
  const schedules = useQuery(ask.schedules());
  const now = useNow();
  const isNarrow = useIsNarrow();
  return (
    <>
      <PageHead title="Overview" />
      <Asked query={targets} what="targets">
        {(all) => {
          const { envs, rows } = rowsOf(all, active.data ?? [], schedules.data?.schedules ?? [], now);
          return (
            <>
              <Summary rows={rows} />
              {schedules.data?.temporal === 'unreachable' && (
                <Text size="sm" role="status" mb="sm">
                  Temporal cannot be reached: when schedules fire next is not known.
                </Text>
              )}
              {rows.length === 0 ? (
                <Nothing />
              ) : isNarrow ? (
                <Stacked rows={rows} />
              ) : (
                <Grid envs={envs} rows={rows} />
              )}
            </>
          );
        }}
      </Asked>
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

function Nothing() {
  return (
    <Text>
      No params file is declared yet: put one at{' '}
      <code>job_params/&lt;env&gt;/&lt;target&gt;-sync.public_params</code> and start the server again.
    </Text>
  );
}
