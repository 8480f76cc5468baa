/**
 * Applies a kept plan: repeats the comparison of its load with the plan's decisions, in the transaction of an apply, and
 * goes on only if the digest is that of the plan.
 */
import { WrongLoadError } from '../../job-error.ts';
import type { AppliedPlan, ApplyPlan, Load } from '../sink.ts';
import { DATA_CHANGED, planStale, refuseOtherPlan } from '../stale-plan.ts';
import { applyLoad } from './apply.ts';
import { type KeptPlan, readPlan, revisionOf } from './kept-plan.ts';
import { digestOf, withoutNestedLoops } from './planned-rows.ts';
import { inStateTransaction, type Session } from './session.ts';
import { dropLeftovers } from './staging.ts';

export async function applyPlan(
  session: Session,
  { uid, digest }: { uid: string; digest: string },
): Promise<AppliedPlan> {
  const kept = await inStateTransaction(session, async (client) => {
    const found = await readPlan(client, session);
    const isNewest = found !== null && found.revision === (await revisionOf(client, session));
    return refuseOtherPlan(session.places.shown, found, { uid, digest, isNewest });
  });
  const { frozen, action } = kept;
  const load: Load = {
    id: kept.load,
    mode: frozen.mode,
    began: new Date(frozen.began),
    cursor: null,
    done: frozen.listed,
    resumed: true,
  };
  const result = await applyLoad(session, load, planOf(frozen), {
    listed: frozen.listed,
    async confirm(client, { planned, watermark }) {
      const is = await withoutNestedLoops(client, () => digestOf(client, planned, { action, watermark }));
      if (is !== digest) throw planStale(session.places.shown, DATA_CHANGED);
      // The history knows the change by what was planned: "the last sync" is one that was applied so, too.
      const { places, changeSet } = session;
      await client.query(`UPDATE ${places.changeSets} SET action = $2 WHERE id = $1`, [changeSet, action]);
    },
  }).catch((error: unknown) => {
    if (error instanceof WrongLoadError)
      throw planStale(
        session.places.shown,
        'its records are not kept any more (a crash of Postgres empties them)',
      );
    throw error;
  });
  if (result.kind === 'ask') throw planStale(session.places.shown, DATA_CHANGED);
  await dropLeftovers(session);
  const watermark = kept.summary.watermark === null ? null : new Date(kept.summary.watermark);
  return {
    applied: result.applied,
    of: action,
    watermark,
    proven: action === 'delta' ? null : frozen.proven,
  };
}

/** The decisions of the plan. A question that it did not have to ask makes it stale. */
function planOf(frozen: KeptPlan['frozen']): ApplyPlan {
  const { watermark, answered, judgement, ...decided } = frozen;
  const { mayRemove, force, mayReject, sourceState, coarseTimes, stamped, weigh, proven } = decided;
  return {
    mayRemove,
    force,
    answered: new Set(answered),
    judge: () => judgement,
    mayReject,
    watermark: watermark === null || watermark === 'keep' ? watermark : new Date(watermark),
    sourceState,
    coarseTimes,
    stamped,
    weigh: weigh ?? false,
    proven,
  };
}
