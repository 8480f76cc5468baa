/** Compares a job with the previous one of the same kind: the first check when a job fails or is slow. */
import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JobJson } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { compare } from './compare.ts';

export function Comparison({ job }: { job: JobJson }) {
  const query = useQuery(queries.previous(job));
  return (
    <QueryBoundary query={query} what="previous job">
      {(before) => {
        if (!before) return <Text size="sm">This is the first {job.job_type} of this target.</Text>;
        const rows = compare(job, before);
        return (
          <Table verticalSpacing={3}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Fact</Table.Th>
                <Table.Th scope="col">This job</Table.Th>
                <Table.Th scope="col">
                  <Link to="/jobs/$id" params={{ id: String(before.id) }}>
                    Job {before.id}
                  </Link>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ what, here, there, differs }) => (
                <Table.Tr key={what}>
                  <Table.Th scope="row">{what}</Table.Th>
                  <Table.Td className="as-written">{differs ? <b>{here}</b> : here}</Table.Td>
                  <Table.Td className="as-written">{there}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        );
      }}
    </QueryBoundary>
  );
}
