/** List of jobs, newest first, filtered by the address. Renders only visible rows, and loads more while scrolling. */
import { Alert, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef } from 'react';
import type { JobJson } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { toFilter } from './filter-search.ts';
import { Filters } from './filters.tsx';
import { COLUMNS, JobRow } from './job-row.tsx';
import './job-list.css';

const ROW_PX = 40;

export function JobList() {
  const search = useSearch({ from: '/jobs' });
  const navigate = useNavigate();
  const list = useInfiniteQuery(queries.jobs(toFilter(search)));
  return (
    <>
      <PageHead title="Jobs" />
      <Filters value={search} onChange={(to) => void navigate({ to: '/jobs', search: to, replace: true })} />
      <QueryBoundary query={list} what="jobs">
        {({ pages }) => {
          const jobs = pages.flatMap((page) => page.jobs);
          if (jobs.length === 0) return <Alert color="gray">No job matches the filter.</Alert>;
          return (
            <Rows
              jobs={jobs}
              hasMore={list.hasNextPage}
              isLoading={list.isFetchingNextPage}
              more={() => void list.fetchNextPage()}
            />
          );
        }}
      </QueryBoundary>
    </>
  );
}

type RowsProps = { jobs: readonly JobJson[]; hasMore: boolean; isLoading: boolean; more: () => void };

function Rows({ jobs, hasMore, isLoading, more }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (at) => jobs[at]?.id ?? at,
    overscan: 12,
  });
  // Rows inserted above do not move the row at the top of the view. A list scrolled to its start shows the new rows.
  const looked = useRef({ id: 0, at: 0 });
  useLayoutEffect(() => {
    const { id, at } = looked.current;
    const now = at === 0 ? -1 : jobs.findIndex((job) => job.id === id);
    if (now === -1 || now === at || !box.current) return;
    box.current.scrollTop += (now - at) * ROW_PX;
    looked.current = { id, at: now };
  }, [jobs]);
  const seen = rows.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoading && last >= jobs.length - 30) more();
  }, [hasMore, isLoading, last, jobs.length, more]);
  return (
    <>
      <div
        className="jobs"
        ref={box}
        role="table"
        aria-label="Jobs"
        aria-rowcount={hasMore ? -1 : jobs.length + 1}
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop } }) => {
          const at = Math.floor(scrollTop / ROW_PX);
          looked.current = { id: jobs[at]?.id ?? 0, at };
        }}
      >
        <div role="rowgroup" className="jobs-head">
          <div role="row" className="jobs-row">
            {COLUMNS.map((name) => (
              <div role="columnheader" key={name}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {seen.map(({ index, start, key }) => {
            const job = jobs[index];
            return job && <JobRow key={key} job={job} at={index} top={start} />;
          })}
        </div>
      </div>
      <Text size="xs" mt={4} role="status">
        {jobs.length.toLocaleString('en')} jobs{hasMore ? ' so far; scroll for more' : ''}
      </Text>
    </>
  );
}
