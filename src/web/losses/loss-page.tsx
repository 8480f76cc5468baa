/** Page of one loss: what happened, how much it is of what lives, its records, and the answers to it. */
import { Alert, Card, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { LossJson } from '../../client/client.ts';
import { records } from '../../client/data-format.ts';
import { needsAnswer, shareOf } from '../../client/loss-format.ts';
import { NotFound } from '../app/not-found.tsx';
import { queries } from '../app/queries.ts';
import { Ago, localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { UnusualFigures } from '../parts/unusual-figures.tsx';
import { DueBadge } from './due-badge.tsx';
import { LossAnswers } from './loss-answers.tsx';
import { LossBar } from './loss-bar.tsx';
import { LossRecords } from './loss-records.tsx';
import { useKeptUntil } from './kept-until.ts';
import './losses.css';

export function LossPage() {
  const id = Number(useParams({ from: '/losses/$id' }).id);
  const isId = Number.isSafeInteger(id) && id > 0;
  const loss = useQuery({ ...queries.loss(id), enabled: isId });
  if (!isId) return <NotFound />;
  return (
    <QueryBoundary query={loss} what={`loss ${id}`}>
      {(shown) => <LossView loss={shown} key={shown.id} />}
    </QueryBoundary>
  );
}

function LossView({ loss }: { loss: LossJson }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const keptUntil = useKeptUntil(loss);
  const choose = (ids: readonly string[], isChosen: boolean) => {
    setChosen((before) =>
      isChosen ? new Set([...before, ...ids]) : new Set([...before].filter((id) => !ids.includes(id))),
    );
  };
  return (
    <>
      <PageHead title={`Loss ${loss.id}: ${loss.target} in ${loss.env}`}>
        <DueBadge loss={loss} />
      </PageHead>
      <Card withBorder padding="sm" mb="sm" component="section" aria-label="What happened">
        <Story loss={loss} />
        <LossBar loss={loss} withFigures />
      </Card>
      {loss.reason === 'anomaly' && <Anomaly job={loss.job_id} />}
      <Removal loss={loss} />
      <Approvals loss={loss} />
      {loss.status === 'waiting' && (
        <LossAnswers
          loss={loss}
          chosen={[...chosen].toSorted()}
          keptUntil={keptUntil}
          clear={() => setChosen(new Set())}
        />
      )}
      <LossRecords loss={loss} chosen={chosen} choose={choose} />
    </>
  );
}

function Story({ loss }: { loss: LossJson }) {
  const {
    count,
    pinned,
    target,
    env,
    job_id: job,
    started_by: by,
    born_at: born,
    changed_at: changed,
  } = loss;
  const all = count + pinned;
  const isWaiting = loss.status === 'waiting';
  return (
    <>
      <Text size="sm">
        {isWaiting ? (
          <>
            <b>{records(all)}</b> of {target} in {env} {all === 1 ? 'is' : 'are'} live, but the source no
            longer lists {all === 1 ? 'it' : 'them'}: {shareOf(all, loss.live)}. A job would have removed more
            than {loss.reason === 'anomaly' ? 'earlier jobs of this target do' : 'its limits allow'}, so it
            applied everything else and held these removals.{' '}
            {needsAnswer(loss)
              ? 'Nothing is removed until somebody approves.'
              : 'All of them are kept for now: nothing is left to answer.'}
          </>
        ) : (
          <>
            This set of {target} in {env} is resolved
            {loss.resolved_at !== null && (
              <>
                {' '}
                since <Ago time={loss.resolved_at} />
              </>
            )}
            : nothing of it waits any more.
          </>
        )}
      </Text>
      <Text size="xs" mt={4} mb="sm" className="dimmed">
        Held by a job of {by}, first <Ago time={born} />
        {changed !== born && (
          <>
            , last changed <Ago time={changed} />
          </>
        )}
        ; told last by{' '}
        <Link to="/jobs/$id" params={{ id: String(job) }}>
          job {job}
        </Link>
        .{needsAnswer(loss) && ` An answer is due by ${localTime(loss.expires_at)}.`}
      </Text>
    </>
  );
}

/** The job that told the set last may be a later one, with usual figures. */
function Anomaly({ job: id }: { job: number }) {
  const job = useQuery(queries.job(id)).data;
  return <UnusualFigures figures={(job?.unusual ?? []).filter(({ measure }) => measure === 'removed')} />;
}

/** Also shows a removal that has ended since the view opened, and how it ended: the loss no longer names it. */
function Removal({ loss: { removal_job_id: active } }: { loss: LossJson }) {
  const [id, setId] = useState(active);
  if (active !== null && active !== id) setId(active);
  const job = useQuery({ ...queries.job(id ?? 0), enabled: id !== null }).data;
  if (id === null) return null;
  return (
    <Alert color="blue" mb="sm" title="The removal is approved">
      <Group gap="xs">
        <Link to="/jobs/$id" params={{ id: String(id) }}>
          Job {id}
        </Link>
        {job && <StatusBadge job={job} />}
      </Group>
    </Alert>
  );
}

function Approvals({ loss }: { loss: LossJson }) {
  const { approvals, approvals_needed: needed } = loss;
  if (approvals.length === 0 && needed === 1) return null;
  return (
    <Card withBorder padding="sm" mb="sm" component="section" aria-label="Approvals">
      <Text size="sm" fw={600}>
        {approvals.length} of {needed} {needed === 1 ? 'approval' : 'approvals'}
      </Text>
      {approvals.map(({ by, at, reason }) => (
        <Text size="sm" key={by}>
          {by}, <Ago time={at} />: “{reason}”
        </Text>
      ))}
    </Card>
  );
}
