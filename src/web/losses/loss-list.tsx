/** Removals that wait for an answer: one set for each target and environment, the oldest first. */
import { Card, Group, SegmentedControl, Select, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { LossJson } from '../../client/client.ts';
import { records } from '../../client/data-format.ts';
import { approvalWords, needsAnswer, shareOf } from '../../client/loss-format.ts';
import { queries } from '../app/queries.ts';
import { LoadMore } from '../parts/load-more.tsx';
import { Ago } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { DueBadge } from './due-badge.tsx';
import { LossBar } from './loss-bar.tsx';
import { type LossSearch, readLossSearch, toLossFilter } from './loss-search.ts';
import './losses.css';

export function LossList() {
  const search = useSearch({ from: '/losses' });
  const list = useInfiniteQuery(queries.losses(toLossFilter(search)));
  return (
    <>
      <PageHead title="Losses" />
      <Text size="sm" mb="sm" maw={720}>
        A job that would remove more records than its limits allow holds the removals. The records stay live
        until somebody approves; waiting never removes anything.
      </Text>
      <Filters search={search} />
      <QueryBoundary query={list} what="losses">
        {({ pages }) => (
          <>
            <Cards losses={pages.flatMap(({ losses }) => losses)} search={search} />
            <LoadMore list={list}>Load more</LoadMore>
          </>
        )}
      </QueryBoundary>
    </>
  );
}

function Filters({ search }: { search: LossSearch }) {
  const navigate = useNavigate();
  const targets = useQuery(queries.targets()).data ?? [];
  const envs = [...new Set(targets.flatMap(({ environments }) => environments.map(({ env }) => env)))];
  const set = (change: Record<string, string | null>) =>
    void navigate({ to: '/losses', search: readLossSearch({ ...search, ...change }), replace: true });
  return (
    <Group gap="xs" mb="sm" align="end" component="section" aria-label="Filters">
      <SegmentedControl
        size="xs"
        aria-label="Status"
        value={search.status ?? 'waiting'}
        onChange={(status) => set({ status })}
        data={[
          { value: 'waiting', label: 'Waiting' },
          { value: 'resolved', label: 'Resolved' },
          { value: 'all', label: 'All' },
        ]}
      />
      {(
        [
          ['target', 'Target', targets.map(({ name }) => name)],
          ['env', 'Environment', envs],
        ] as const
      ).map(([name, label, data]) => (
        <Select
          key={name}
          label={label}
          placeholder="any"
          data={data}
          value={search[name] ?? null}
          onChange={(value) => set({ [name]: value })}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': `Any ${label.toLowerCase()}` }}
          size="xs"
          w={150}
        />
      ))}
    </Group>
  );
}

function Cards({ losses, search }: { losses: readonly LossJson[]; search: LossSearch }) {
  if (losses.length === 0)
    return (
      <Text role="status">
        {Object.keys(search).length === 0 ? 'No removal waits for an answer.' : 'No set matches the filter.'}
      </Text>
    );
  return (
    <ul className="loss-list" aria-label="Losses">
      {losses.map((loss) => (
        <li key={loss.id}>
          <LossCard loss={loss} />
        </li>
      ))}
    </ul>
  );
}

function LossCard({ loss }: { loss: LossJson }) {
  const { id, target, env, count, pinned, status, approvals_needed: needed } = loss;
  return (
    <Card
      withBorder
      padding="sm"
      maw={960}
      className={loss.overdue && needsAnswer(loss) ? 'cell-failed' : ''}
    >
      <Group justify="space-between" gap="xs">
        <Link to="/losses/$id" params={{ id: String(id) }}>
          <Text component="span" fw={600}>
            {target} in {env}
          </Text>
        </Link>
        <DueBadge loss={loss} />
      </Group>
      <Text size="sm" my={6} className="figures">
        <b>{records(count)}</b> {status === 'waiting' ? 'to remove' : 'were held'},{' '}
        {shareOf(count, loss.live)}
        {pinned > 0 && `; ${pinned.toLocaleString('en')} kept`}
      </Text>
      <LossBar loss={loss} />
      <Text size="xs" mt={6} className="dimmed">
        first held <Ago time={loss.born_at} />
        {status === 'waiting' && (needed > 1 || loss.approvals.length > 0) && (
          <> · approved by {approvalWords(loss)}</>
        )}
        {loss.removal_job_id !== null && <> · removal: job {loss.removal_job_id}</>}
      </Text>
    </Card>
  );
}
