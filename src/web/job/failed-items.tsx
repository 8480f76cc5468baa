/** The items of a job that failed, each with its reason. */
import { ScrollArea, Table, Text } from '@mantine/core';
import type { JobJson } from '../../api/job-schema.ts';
import { Section } from './section.tsx';

export function FailedItems({ items }: { items: JobJson['failed_items'] }) {
  return (
    <Section title={`Failed items (${items.length})`}>
      <Text size="sm" mb="xs">
        A resume does these again, and then what was left.
      </Text>
      <ScrollArea.Autosize mah={280} tabIndex={0} aria-label="Failed items">
        <Table verticalSpacing={3}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col" w={140}>
                Item
              </Table.Th>
              <Table.Th scope="col">Why</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map(({ id, why }) => (
              <Table.Tr key={id}>
                <Table.Td>{id}</Table.Td>
                <Table.Td className="as-written">{why}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </Section>
  );
}
