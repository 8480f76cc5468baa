/** Parameters of a job, and the manifest or arguments that its runner received. */
import { Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { JobJson } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { CodeBlock } from '../parts/code-block.tsx';

export function Facts({ job }: { job: JobJson }) {
  const { parameters, sync_job: syncJob } = job;
  const facts: [string, string | number | null | undefined][] = [
    ['Action', parameters.action],
    ['Description', job.description],
    ['Phase', job.phase],
    ['Release status', parameters.releaseStatus],
    ['From version', parameters.bumpFromVersion],
    ['To version', parameters.bumpToVersion],
    ['Options', parameters.options || '(none)'],
    ['Image tag', parameters.is_tag],
    ['MAM_MAIN_QUERY', parameters.mam_main_query],
    ['Runner', job.runner],
    ['Trigger', job.trigger],
    ['Cancelled by', job.cancel_requested_by],
    ['Data source', syncJob?.data_source],
    ['Written to', syncJob?.target_datastore_url],
    ['Program version', syncJob?.version],
  ];
  return (
    <>
      <Table verticalSpacing={3}>
        <Table.Tbody>
          {facts
            .filter(([, value]) => value !== null && value !== undefined)
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" w={140}>
                  {name}
                </Table.Th>
                <Table.Td className="as-written">{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {job.resumes !== null && (
        <Text size="sm">
          This job resumes{' '}
          <Link to="/jobs/$id" params={{ id: String(job.resumes) }}>
            job {job.resumes}
          </Link>
          .
        </Text>
      )}
      <Manifest job={job} />
    </>
  );
}

function Manifest({ job }: { job: JobJson }) {
  const [isShown, setShown] = useState(false);
  const query = useQuery({ ...queries.manifest(job.id), enabled: isShown });
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        mt="xs"
        aria-expanded={isShown}
        onClick={() => setShown(!isShown)}
      >
        {job.runner === 'kubernetes' ? 'Kubernetes manifest' : 'Arguments and environment'}
      </Button>
      {isShown && (
        <QueryBoundary query={query} what="manifest">
          {(steps) => <CodeBlock name="Manifest">{JSON.stringify(steps, null, 2)}</CodeBlock>}
        </QueryBoundary>
      )}
    </>
  );
}
