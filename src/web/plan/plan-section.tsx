/** Plan of a job on its page: counts, records by kind, and the button that applies it. */
import { Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { PlanJson } from '../../client/client.ts';
import { countWords, KIND_WORDS, whyNotApply } from '../../client/plan-format.ts';
import { PLAN_KINDS } from '../../domain/change-plan.ts';
import { queries } from '../app/queries.ts';
import { localTime } from '../parts/clock.tsx';
import { QueryBoundary } from '../parts/query-boundary.tsx';
import { Section } from '../parts/section.tsx';
import { ApplyPlan } from './apply-plan.tsx';
import { PlanRecords } from './plan-records.tsx';
import './plan.css';

export function PlanSection({ id }: { id: number }) {
  const query = useQuery(queries.plan(id));
  return (
    <Section title="Plan">
      <QueryBoundary query={query} what="plan">
        {(plan) => <Plan plan={plan} />}
      </QueryBoundary>
    </Section>
  );
}

function Plan({ plan }: { plan: PlanJson }) {
  const { state, watermark, listed, live, kept } = plan;
  const later = plan.applied_by ?? plan.replaced_by;
  return (
    <>
      <Group gap="xs" mb="sm" justify="space-between">
        <Text size="sm" role="status">
          <b>{state}</b>: {state === 'ready' ? <Ready plan={plan} /> : whyNotApply(plan)}{' '}
          {later !== null && (
            <Link to="/jobs/$id" params={{ id: String(later) }}>
              Job {later}
            </Link>
          )}
        </Text>
        {state === 'ready' && <ApplyPlan plan={plan} />}
      </Group>
      <Figures plan={plan} />
      <Text size="sm" mb="sm">
        {listed.toLocaleString('en')} records of the source were compared with {live.toLocaleString('en')}{' '}
        live ones.
        {kept > 0 && ` ${kept.toLocaleString('en')} stay although the listing lacks them.`} The next delta
        then {watermark === null ? 'compares everything' : `reads from ${localTime(watermark)}`}.
      </Text>
      {state !== 'expired' && <PlanRecords plan={plan} />}
    </>
  );
}

function Ready({ plan }: { plan: PlanJson }) {
  return (
    <>
      nothing is changed yet. It can be applied until {localTime(plan.expires_at)}, unless another job of the
      target completes before.
    </>
  );
}

/** The colour shows the kind; the words say it, too. */
function Figures({ plan }: { plan: PlanJson }) {
  return (
    <ul className="plan-figures" aria-label={`Changes: ${countWords(plan)}`}>
      {PLAN_KINDS.map((kind) => (
        <li key={kind} className={`plan-figure is-${plan[kind] === 0 ? 'none' : kind}`}>
          <span className="plan-count figures">{plan[kind].toLocaleString('en')}</span>{' '}
          <span className="small">{KIND_WORDS[kind].toLowerCase()}</span>
        </li>
      ))}
    </ul>
  );
}
