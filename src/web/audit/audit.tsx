/** Who did what, from where and why, and what was refused to whom: for those whom the server tells it. */
import { Badge, Button, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { AuditEntryJson } from '../../client/client.ts';
import { ask } from '../app/queries.ts';
import { Asked } from '../parts/asked.tsx';
import { Ago, localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { toAuditFilter } from './audit-search.ts';

export function Audit() {
  const search = useSearch({ from: '/audit' });
  const navigate = useNavigate();
  const list = useInfiniteQuery(ask.audit(toAuditFilter(search)));
  return (
    <>
      <PageHead title="Audit" />
      <AuditFilters
        value={search}
        onChange={(to) => void navigate({ to: '/audit', search: to, replace: true })}
      />
      <Asked query={list} what="audit">
        {({ pages }) => (
          <>
            <Entries entries={pages.flatMap(({ entries }) => entries)} />
            {list.hasNextPage && (
              <Button
                mt="sm"
                size="xs"
                variant="default"
                loading={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                Older ones
              </Button>
            )}
          </>
        )}
      </Asked>
    </>
  );
}

function Entries({ entries }: { entries: readonly AuditEntryJson[] }) {
  if (entries.length === 0) return <Text>Nothing of the kind.</Text>;
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Audit">
      <Table miw={760}>
        <Table.Thead>
          <Table.Tr>
            {['When', 'Who', 'Did', 'To', 'Why', 'From'].map((name) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Entry({ entry }: { entry: AuditEntryJson }) {
  const { at, principal, verb, object, refused, reason, address, request_id: request, detail } = entry;
  const job = /^job (\d+)$/.exec(object)?.[1];
  const message = detail?.['message'];
  return (
    <Table.Tr>
      <Table.Td title={localTime(at)}>
        <Ago time={at} />
      </Table.Td>
      <Table.Td>{principal}</Table.Td>
      <Table.Td>
        {verb}
        {refused !== null && (
          <>
            {' '}
            <Badge variant="status" color="red" tt="none" radius="sm">
              refused: {refused}
            </Badge>
          </>
        )}
      </Table.Td>
      <Table.Td>
        {job === undefined ? (
          object
        ) : (
          <Link to="/jobs/$id" params={{ id: job }}>
            {object}
          </Link>
        )}
        {typeof message === 'string' && <Text size="xs">{message}</Text>}
      </Table.Td>
      <Table.Td>{reason}</Table.Td>
      <Table.Td title={request === null ? undefined : `request ${request}`}>{address}</Table.Td>
    </Table.Tr>
  );
}
