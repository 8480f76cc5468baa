/** Records of a plan: a tab for each kind, paged and filtered by id; of changed records each field before and after. */
import { Tabs, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PlanJson, PlanRecordJson } from '../../client/client.ts';
import { records } from '../../client/data-format.ts';
import { fieldChanges, KIND_WORDS, NOT_SHOWN, partWords } from '../../client/plan-format.ts';
import { PLAN_KINDS, type PlanKind } from '../../domain/change-plan.ts';
import { queries } from '../app/queries.ts';
import { CodeBlock } from '../parts/code-block.tsx';
import { useIdFilter } from '../parts/id-filter.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { RecordOpener } from '../parts/record-opener.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';

export function PlanRecords({ plan }: { plan: PlanJson }) {
  const kinds = PLAN_KINDS.filter((kind) => plan[kind] > 0);
  const [chosen, choose] = useState<string | null>(null);
  const [first] = kinds;
  if (first === undefined) return null;
  const kind = kinds.find((one) => one === chosen) ?? first;
  return (
    <Tabs value={kind} onChange={choose} keepMounted={false}>
      <Tabs.List mb="sm" aria-label="Records">
        {kinds.map((one) => (
          <Tabs.Tab key={one} value={one}>
            {KIND_WORDS[one]} ({plan[one].toLocaleString('en')})
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {kinds.map((one) => (
        <Tabs.Panel key={one} value={one}>
          <OfKind plan={plan} kind={one} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function OfKind({ plan, kind }: { plan: PlanJson; kind: PlanKind }) {
  const { part, field } = useIdFilter();
  const list = useInfiniteQuery(queries.planRecords(plan, kind, part));
  const some = partWords(plan, kind);
  return (
    <>
      {field}
      <QueryBoundary query={list} what="records">
        {({ pages }) => {
          const found = pages.flatMap((page) => page.records);
          return (
            <>
              {found.length > 0 && (
                <ul className="plan-records" aria-label={`${KIND_WORDS[kind]} records`}>
                  {found.map((record) => (
                    <Record key={record.id} record={record} />
                  ))}
                </ul>
              )}
              <Text size="xs" mt={4} role="status">
                {shownWords(found.length, { isFiltered: part !== '', hasMore: list.hasNextPage })}
                {some !== undefined && `; ${some}`}
              </Text>
              <LoadMore list={list}>Load more records</LoadMore>
            </>
          );
        }}
      </QueryBoundary>
    </>
  );
}

function shownWords(shown: number, of: { isFiltered: boolean; hasMore: boolean }): string {
  if (shown === 0)
    return of.isFiltered
      ? 'No id contains this'
      : 'No record is shown: only the newest plans of a target keep them';
  return of.hasMore ? `the first ${records(shown)}` : records(shown);
}

/** Changed fields at once; whole contents on demand. */
function Record({ record }: { record: PlanRecordJson }) {
  const [isOpen, setOpen] = useState(false);
  const { id, kind } = record;
  return (
    <li>
      <RecordOpener id={id} isOpen={isOpen} toggle={() => setOpen(!isOpen)} />
      {kind === 'updated' ? <Changes record={record} /> : <Line record={record} />}
      {isOpen && (
        <>
          {kind !== 'added' && <Content name={`${id} now`} content={record.before} />}
          {kind !== 'removed' && kind !== 'held' && (
            <Content name={`${id} ${kind === 'added' ? 'as it comes' : 'then'}`} content={record.after} />
          )}
        </>
      )}
    </li>
  );
}

function Changes({ record }: { record: PlanRecordJson }) {
  const changes = fieldChanges(record);
  if (!changes)
    return (
      <Text size="sm" component="span">
        The contents are {NOT_SHOWN}.
      </Text>
    );
  return (
    <dl className="plan-changes">
      {changes.map(({ field, before, after }) => (
        <div key={field}>
          <dt className="as-written">{field}</dt>
          <dd>
            <del className="as-written">{before}</del> <span aria-hidden="true">→</span>{' '}
            <ins className="as-written">{after}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Line({ record: { kind, before, after } }: { record: PlanRecordJson }) {
  const content = kind === 'added' ? after : before;
  return <div className="plan-line">{content === null ? `(${NOT_SHOWN})` : JSON.stringify(content)}</div>;
}

function Content({ name, content }: { name: string; content: PlanRecordJson['before'] }) {
  return content === null ? (
    <Text size="sm">
      {name}: {NOT_SHOWN}.
    </Text>
  ) : (
    <>
      <Text size="xs" mt={4}>
        {name}
      </Text>
      <CodeBlock name={name}>{JSON.stringify(content, null, 2)}</CodeBlock>
    </>
  );
}
