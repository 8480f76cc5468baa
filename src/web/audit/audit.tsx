/** Audit trail: principal, action, object, reason and address of each request, denied ones included. For admins only. */
import { Badge, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { AuditEntryJson } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { LoadMore } from '../parts/load-more.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { Ago, localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { toAuditFilter } from './audit-search.ts';

export function Audit() {
  const search = useSearch({ from: '/audit' });
  const navigate = useNavigate();
  const list = useInfiniteQuery(queries.audit(toAuditFilter(search)));
  return (
    <>
      <PageHead title="Audit" />
      <AuditFilters
        value={search}
        onChange={(to) => void navigate({ to: '/audit', search: to, replace: true })}
      />
      <QueryBoundary query={list} what="audit">
        {({ pages }) => (
          <>
            <Entries entries={pages.flatMap(({ entries }) => entries)} />
            <LoadMore list={list}>Load older entries</LoadMore>
          </>
        )}
      </QueryBoundary>
    </>
  );
}

function Entries({ entries }: { entries: readonly AuditEntryJson[] }) {
  if (entries.length === 0) return <Text>No entry matches the filter.</Text>;
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Audit">
      <Table miw={760}>
        <Table.Thead>
          <Table.Tr>
            {['When', 'Who', 'Action', 'Object', 'Reason', 'From'].map((name) => (
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
  const { at, principal, verb, object, refused, reason, address, detail } = entry;
  const { request_id: request, client_request_id: client } = entry;
  const message = detail?.['message'];
  const called = client === null ? '' : `, called ${client} by its caller`;
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
        <AuditObject object={object} />
        {typeof message === 'string' && <Text size="xs">{message}</Text>}
      </Table.Td>
      <Table.Td>{reason}</Table.Td>
      <Table.Td title={request === null ? undefined : `request ${request}${called}`}>{address}</Table.Td>
    </Table.Tr>
  );
}

/** Leads to a job and to a loss; other objects have no view of their own. */
function AuditObject({ object }: { object: string }) {
  const [, kind, id] = /^(job|loss) (\d+)\b/.exec(object) ?? [];
  if (id === undefined) return object;
  return (
    <Link to={kind === 'job' ? '/jobs/$id' : '/losses/$id'} params={{ id }}>
      {object}
    </Link>
  );
}
