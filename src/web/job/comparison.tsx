/** What was else the last time the same was run: the first thing to look at when a job fails or is slow. */
import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JobJson } from '../../api/job-schema.ts';
import { ask } from '../app/queries.ts';
import { Asked } from '../parts/asked.tsx';
import { compare } from './compare.ts';

export function Comparison({ job }: { job: JobJson }) {
  const query = useQuery(ask.previous(job));
  return (
    <Asked query={query} what="job before">
      {(before) => {
        if (!before) return <Text size="sm">It is the first {job.job_type} of this target.</Text>;
        const rows = compare(job, before);
        return (
          <Table verticalSpacing={3}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">What</Table.Th>
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
    </Asked>
  );
}
