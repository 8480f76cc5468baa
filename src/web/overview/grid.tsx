/** Table of targets by environment, for wide screens. */
import { Table, VisuallyHidden } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { OverviewCell } from './cell.tsx';
import type { Row } from './cells.ts';

const TARGET_PX = 190;
const ENV_PX = 240;

export function Grid({ envs, rows }: { envs: readonly string[]; rows: readonly Row[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Targets by environment">
      <Table verticalSpacing="xs" layout="fixed" miw={TARGET_PX + envs.length * ENV_PX}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col" w={TARGET_PX}>
              Target
            </Table.Th>
            {envs.map((env) => (
              <Table.Th key={env} scope="col">
                {env}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ target, cells }) => (
            <Table.Tr key={target}>
              <Table.Th scope="row">
                <Link to="/jobs" search={{ target }} className="quiet-link">
                  {target}
                </Link>
              </Table.Th>
              {envs.map((env) => {
                const cell = cells.get(env);
                return (
                  <Table.Td key={env} style={{ verticalAlign: 'top' }}>
                    {cell ? <OverviewCell cell={cell} /> : <VisuallyHidden>not declared</VisuallyHidden>}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
