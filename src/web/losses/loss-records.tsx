/** Records of a loss with their live content: paged, filtered by id; those that wait can be chosen. */
import { Checkbox, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import type { LossJson, LossRecordJson } from '../../client/client.ts';
import { records } from '../../client/data-format.ts';
import { contentOf, dayOf, NO_CONTENT } from '../../client/loss-format.ts';
import type { Key } from '../../domain/job.ts';
import { queries } from '../app/queries.ts';
import { useIdFilter } from '../parts/id-filter.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { RecordOpener } from '../parts/record-opener.tsx';
import { Ago, localTime } from '../parts/clock.tsx';
import { CodeBlock } from '../parts/code-block.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { Section } from '../parts/section.tsx';
import { StoryButton } from '../story/ask-story.tsx';

type Choice = { chosen: ReadonlySet<string>; choose: (ids: readonly string[], isChosen: boolean) => void };

export function LossRecords({ loss, ...choice }: { loss: LossJson } & Choice) {
  const { part, field } = useIdFilter();
  const list = useInfiniteQuery(queries.lossRecords(loss, part));
  const all = loss.count + loss.pinned;
  return (
    <Section title={`Records (${all.toLocaleString('en')})`}>
      {field}
      <QueryBoundary query={list} what="records">
        {({ pages }) => {
          const found = pages.flatMap((page) => page.records);
          const sum = part === '' ? all : undefined;
          return (
            <>
              {found.length > 0 && <Records loss={loss} list={found} {...choice} />}
              <Text size="xs" mt={4} role="status">
                {shownWords(found.length, sum, list.hasNextPage)}
              </Text>
              <LoadMore list={list}>Load more records</LoadMore>
            </>
          );
        }}
      </QueryBoundary>
    </Section>
  );
}

/** @param sum undefined if a filter leaves it unknown */
function shownWords(shown: number, sum: number | undefined, hasMore: boolean): string {
  if (shown === 0) return sum === undefined ? 'No id contains this.' : 'The set holds no records.';
  if (!hasMore) return records(shown);
  return sum === undefined
    ? `the first ${records(shown)}`
    : `${shown.toLocaleString('en')} of ${records(sum)}`;
}

function Records({
  loss,
  list,
  chosen,
  choose,
}: { loss: LossJson; list: readonly LossRecordJson[] } & Choice) {
  const canChoose = loss.status === 'waiting';
  const isNarrow = useIsNarrow();
  const free = list.filter(({ pinned_until: until }) => until === null).map(({ id }) => id);
  const count = free.filter((id) => chosen.has(id)).length;
  const heads = ['Record', 'Last seen', ...(isNarrow ? [] : ['Missing since', 'Live content'])];
  return (
    <Table verticalSpacing={3}>
      <Table.Thead>
        <Table.Tr>
          {canChoose && (
            <Table.Th w={36}>
              <Checkbox
                size="xs"
                aria-label="Choose all shown"
                checked={free.length > 0 && count === free.length}
                indeterminate={count > 0 && count < free.length}
                disabled={free.length === 0}
                onChange={({ currentTarget }) => choose(free, currentTarget.checked)}
              />
            </Table.Th>
          )}
          {heads.map((head) => (
            <Table.Th key={head} scope="col">
              {head}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {list.map((record) => (
          <Row
            key={record.id}
            record={record}
            target={loss.target}
            env={loss.env}
            isNarrow={isNarrow}
            canChoose={canChoose}
            isChosen={chosen.has(record.id)}
            choose={(isChosen) => choose([record.id], isChosen)}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

type RowProps = Key & {
  record: LossRecordJson;
  isNarrow: boolean;
  canChoose: boolean;
  isChosen: boolean;
  choose: (isChosen: boolean) => void;
};

function Row({ record, isNarrow, canChoose, isChosen, choose, target, env }: RowProps) {
  const [isOpen, setOpen] = useState(false);
  const { id, pinned_until: until } = record;
  return (
    <Fragment>
      <Table.Tr className={until === null ? '' : 'loss-kept'}>
        {canChoose && (
          <Table.Td>
            {until === null && (
              <Checkbox
                size="xs"
                aria-label={`Choose ${id}`}
                checked={isChosen}
                onChange={({ currentTarget }) => choose(currentTarget.checked)}
              />
            )}
          </Table.Td>
        )}
        <Table.Th scope="row">
          <RecordOpener id={id} isOpen={isOpen} toggle={() => setOpen(!isOpen)} />
          {until !== null && (
            <Text size="xs" title={localTime(until)}>
              kept until {dayOf(until)}
            </Text>
          )}
        </Table.Th>
        <Table.Td>{record.last_seen === null ? 'unknown' : <Ago time={record.last_seen} />}</Table.Td>
        {!isNarrow && (
          <>
            <Table.Td className="nowrap">
              <Ago time={record.missing_since} />
            </Table.Td>
            <Table.Td className="loss-content">{contentOf(record)}</Table.Td>
          </>
        )}
      </Table.Tr>
      {isOpen && (
        <Table.Tr>
          {canChoose && <Table.Td />}
          <Table.Td colSpan={isNarrow ? 2 : 4}>
            <Content record={record} />
            <StoryButton target={target} env={env} id={id} />
          </Table.Td>
        </Table.Tr>
      )}
    </Fragment>
  );
}

function Content({
  record: { id, record, missing_since: since, updated_at: updated },
}: {
  record: LossRecordJson;
}) {
  return (
    <>
      <Text size="xs">
        Missing since {localTime(since)}.{updated !== null && ` Changed in the source ${localTime(updated)}.`}
      </Text>
      {record === null ? (
        <Text size="sm">The content is {NO_CONTENT}. The sink may have it.</Text>
      ) : (
        <CodeBlock name={`Live content of ${id}`}>{JSON.stringify(record, null, 2)}</CodeBlock>
      )}
    </>
  );
}
