/** Button that applies a plan, with a question that repeats its counts. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { PlanJson } from '../../client/client.ts';
import { effectWords, planWords } from '../../client/plan-format.ts';
import { DenialReason, useDenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { Confirm } from '../parts/confirm.tsx';

export function ApplyPlan({ plan }: { plan: PlanJson }) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { id, env, action, of, digest } = plan;
  const why = useDenialReason({ role: 'operator', of: { env, action_name: action, action: of } });
  const effects = effectWords(plan);
  const act = async () => {
    try {
      return await client.applyPlan(id, digest);
    } finally {
      // After a refusal, too: the page should show why.
      void cache.invalidateQueries({ queryKey: ['plans'] });
    }
  };
  return (
    <>
      <DenialReason why={why} />
      <Confirm
        label="Apply…"
        title={`Apply the plan of ${planWords(plan)}?`}
        yes="Apply it"
        color={plan.removed > 0 ? 'red' : 'blue'}
        size="compact-sm"
        disabled={why !== undefined}
        act={act}
        onDone={({ job_id: job }) => void navigate({ to: '/jobs/$id', params: { id: String(job) } })}
      >
        {effects.length === 0 ? (
          'No record will change; only the place from which the next delta reads moves.'
        ) : (
          <ul className="plan-effects">
            {effects.map((effect) => (
              <li key={effect}>{effect}</li>
            ))}
          </ul>
        )}
        A job makes exactly these changes, or none if the sink has changed since the plan was made. A rollback
        can undo it.
      </Confirm>
    </>
  );
}
