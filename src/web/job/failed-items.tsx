/** Table of the items or records that a job set aside, each with its reason. */
import { ScrollArea, Table, Text } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';
import { areItems } from '../../client/data-format.ts';
import { Section } from '../parts/section.tsx';

export function FailedItems({ job }: { job: JobJson }) {
  const items = job.failed_items;
  const title = areItems(job) ? 'Failed items' : 'Set aside';
  return (
    <Section title={`${title} (${items.length.toLocaleString('en')})`}>
      <Text size="sm" mb="xs">
        {wordsOf(job)}
      </Text>
      <ScrollArea.Autosize mah={280} tabIndex={0} role="region" aria-label={title}>
        <Table verticalSpacing={3}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col" w={180}>
                {areItems(job) ? 'Item' : 'Record'}
              </Table.Th>
              <Table.Th scope="col">Reason</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map(({ id, why }) => (
              <Table.Tr key={id}>
                <Table.Td className="as-written">{id}</Table.Td>
                <Table.Td className="as-written">{why}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </Section>
  );
}

function wordsOf(job: JobJson): string {
  if (areItems(job)) return 'A resume retries these first, then continues with the remaining items.';
  if (job.diagnosis?.code === 'records_rejected')
    return 'More records were rejected than MAX_REJECTED allows, so the sink was not changed.';
  return 'These records were not written. Earlier versions in the sink stay, and the next run tries again.';
}
