/** Effect of a rollback: counts of restored, changed and removed records, a sample, and other writers' work. */
import { Alert, SimpleGrid, Table, Text } from '@mantine/core';
import {
  beforeWords,
  CHANGE_WORDS,
  othersWords,
  type RollbackPreviewJson,
  sampleWords,
  touched,
} from '../../client/data-format.ts';
import { useId } from 'react';
import { Ago, localTime } from '../parts/clock.tsx';
import './rollback-effect.css';

const FIGURES = [
  ['added', 'come back', 'comes back'],
  ['updated', 'change', 'changes'],
  ['removed', 'go', 'goes'],
] as const;

export function RollbackEffect({ preview }: { preview: RollbackPreviewJson }) {
  const { before, watermark } = preview;
  const others = othersWords(preview);
  return (
    <>
      <Text size="sm" mb="sm">
        The target goes back to {beforeWords(preview)}, which wrote <Ago time={before.applied_at} />.{' '}
        {preview.some_records === true
          ? 'Only these records go back; all others stay.'
          : 'All later changes are undone.'}
      </Text>
      <SimpleGrid cols={3} spacing="xs" mb="sm" role="status">
        {FIGURES.map(([name, many, one]) => (
          <div key={name} className={`effect is-${preview[name] === 0 ? 'none' : name}`}>
            <span className="effect-count figures">{preview[name].toLocaleString('en')}</span>{' '}
            <span className="effect-word">{preview[name] === 1 ? one : many}</span>
          </div>
        ))}
      </SimpleGrid>
      {others !== null && (
        <Alert color="yellow" mb="sm" title="Another writer has changed these records" role="alert">
          {others}.
        </Alert>
      )}
      {preview.sample.length > 0 && <Sample preview={preview} />}
      {touched(preview) === 0 && (
        <Text size="sm" mb="sm">
          The records have not changed since then: there is nothing to roll back.
        </Text>
      )}
      <Text size="sm" mt="sm">
        The next delta then{' '}
        {watermark === null ? 'compares everything' : `reads from ${localTime(watermark)}`}.
      </Text>
    </>
  );
}

function Sample({ preview }: { preview: RollbackPreviewJson }) {
  const name = useId();
  return (
    <>
      <Text size="sm" fw={600} mb={4} id={name}>
        {sampleWords(preview)}
      </Text>
      <div className="effect-sample" tabIndex={0} role="region" aria-labelledby={name}>
        <Table verticalSpacing={3} stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Record</Table.Th>
              <Table.Th scope="col">Change</Table.Th>
              <Table.Th scope="col">Fields that differ</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {preview.sample.map(({ id, change, fields }) => (
              <Table.Tr key={id}>
                <Table.Th scope="row" className="as-written effect-id">
                  {id}
                </Table.Th>
                <Table.Td className="nowrap">{CHANGE_WORDS[change]}</Table.Td>
                <Table.Td className="as-written">{fields.join(', ')}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}
