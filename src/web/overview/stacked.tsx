/** Overview for narrow screens: cells below each other; environments that never ran share one line. */
import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { OverviewCell } from './cell.tsx';
import type { Row } from './cells.ts';

export function Stacked({ rows }: { rows: readonly Row[] }) {
  return rows.map(({ target, cells }) => {
    const all = [...cells.values()];
    const ran = all.filter(({ env }) => env.last_job !== null);
    const idle = all.filter(({ env }) => env.last_job === null);
    return (
      <section key={target} aria-label={target} className="stacked">
        <Text component="h2" fw={600} size="sm">
          <Link to="/jobs" search={{ target }} className="quiet-link">
            {target}
          </Link>
        </Text>
        {ran.map((cell) => (
          <div key={cell.env.env}>
            <Text size="xs" mt={6} mb={2}>
              {cell.env.env}
            </Text>
            <OverviewCell cell={cell} />
          </div>
        ))}
        {idle.length > 0 && (
          <Text size="xs" mt={4}>
            never run:{' '}
            {idle.map(({ env }) => (
              <Link
                key={env.env}
                to="/start"
                search={{ target, env: env.env, action: env.actions[0]?.action }}
              >
                start in {env.env}{' '}
              </Link>
            ))}
          </Text>
        )}
      </section>
    );
  });
}
