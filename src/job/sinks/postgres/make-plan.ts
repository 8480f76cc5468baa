/**
 * Makes a plan: decides about a load in a transaction as an apply does, but with tables of its own for the changes and
 * for what is kept. They go with the transaction; the load, the decisions and the digest stay for the apply.
 */
import type { PoolClient } from 'pg';
import type { Plannable } from '../../../domain/action.ts';
import type { PlanKind } from '../../../domain/change-plan.ts';
import type { PlanSummary } from '../plans.ts';
import type { Applied, ApplyPlan, ApplyResult, Judgement, Load } from '../sink.ts';
import { decide, decideForEmpty, isWeighed, orAsk, watermarkOf } from './apply.ts';
import { countLive } from './difference.ts';
import type { SinkRow } from './fence.ts';
import { type Frozen, type KeptPlan, NO_CHANGE_SET, readPlan, revisionOf, storePlan } from './kept-plan.ts';
import { addedRows, changedRows, digestOf, withoutNestedLoops } from './planned-rows.ts';
import type { Places } from './places.ts';
import { inWriteTransaction, type Session } from './session.ts';
import { writeShown } from './shown-changes.ts';
import { countStaging } from './staging.ts';

/** Name of the table of the changes that people are shown. */
export function shownTable({ places, sinkId }: Pick<Session, 'places' | 'sinkId'>, loadId: string): string {
  return places.staging(sinkId, `${loadId}_shown`);
}

/** @param made called with the plan, once it is stored */
export async function planLoad(
  session: Session,
  load: Load,
  { plan, made }: { plan: ApplyPlan; made: (plan: PlanSummary) => void },
): Promise<ApplyResult> {
  return await orAsk(async () => {
    const { summary, applied } = await inWriteTransaction(session, (client, sink) =>
      planOnce(client, session, { sink, load, plan }),
    );
    made({ ...summary, watermark: summary.watermark === null ? null : new Date(summary.watermark) });
    return applied;
  });
}

type Input = { readonly sink: SinkRow; readonly load: Load; readonly plan: ApplyPlan };
type Planned = { readonly summary: KeptPlan['summary']; readonly applied: Applied };

async function planOnce(client: PoolClient, session: Session, { sink, load, plan }: Input): Promise<Planned> {
  const { places, sinkId, table } = session;
  const earlier = await readPlan(client, session);
  // After a lost answer to COMMIT, or an attempt before this one: the load has what was offered again then.
  const offered = earlier?.load === load.id ? earlier.frozen.offered : 0;
  const staging = places.staging(sinkId, load.id);
  const staged = await countStaging(client, session, load, { weigh: isWeighed({ load, plan }) });
  const live = table.oid === null ? 0 : await countLive(client, session);
  let judgement: Judgement = 'apply';
  const judging: ApplyPlan = { ...plan, judge: (difference) => (judgement = plan.judge(difference)) };
  const listed = staged.listed - offered;
  const work = { sink, load, plan: judging, staging, staged, listed, live };
  const scratch = await beginScratch(client, session, load);
  const decided = live === 0 ? decideForEmpty(work) : await decide(client, scratch.session, work);
  await client.query(`UPDATE ${places.loads} SET done = done + $2 WHERE id = $1`, [load.id, decided.offered]);
  const planned = live === 0 ? addedRows(session, staging) : changedRows(scratch.session, staging);
  const watermark = watermarkOf(work);
  const { counts, kept, difference } = decided;
  const held = kept.held ?? 0;
  const action = session.writer.action as Plannable;
  const digest = await withoutNestedLoops(client, async () => {
    await writeShown(client, await clear(client, shownTable(session, load.id)), {
      planned,
      counts: { ...counts, held } satisfies Record<PlanKind, number>,
    });
    return await digestOf(client, planned, { action, watermark });
  });
  await scratch.drop();
  const summary = {
    uid: session.writer.jobUid ?? session.writer.run,
    of: action,
    digest,
    live,
    listed: work.listed,
    ...counts,
    held,
    kept: Object.values(kept).reduce((sum, count) => sum + count, 0),
    watermark: watermark?.toISOString() ?? null,
  };
  await storePlan(client, session, {
    uid: summary.uid,
    run: session.writer.run,
    action,
    load: load.id,
    digest,
    revision: await revisionOf(client, session),
    frozen: freeze(work, { judgement, offered: offered + decided.offered }),
    summary,
  });
  return { summary, applied: { ...difference, ...counts, kept, rejected: [] } };
}

function freeze(
  { load, plan, listed }: { load: Load; plan: ApplyPlan; listed: number },
  decided: Pick<Frozen, 'judgement' | 'offered'>,
): Frozen {
  const { watermark } = plan;
  return {
    mode: load.mode,
    began: load.began.toISOString(),
    listed,
    ...decided,
    mayRemove: plan.mayRemove,
    force: plan.force,
    answered: [...(plan.answered ?? [])],
    mayReject: plan.mayReject,
    watermark: watermark instanceof Date ? watermark.toISOString() : watermark,
    sourceState: plan.sourceState ?? null,
    coarseTimes: plan.coarseTimes,
    stamped: plan.stamped ?? false,
    weigh: plan.weigh ?? false,
    proven: plan.proven,
  };
}

/** The session with tables of this transaction in place of those of the sink, and what drops them. */
async function beginScratch(
  client: PoolClient,
  session: Session,
  load: Load,
): Promise<{ session: Session; drop: () => Promise<void> }> {
  const { places, sinkId } = session;
  const changes = await clear(client, places.staging(sinkId, `${load.id}_changes`));
  const kept = await clear(client, places.staging(sinkId, `${load.id}_kept`));
  await client.query(`CREATE UNLOGGED TABLE ${changes} (LIKE ${places.changes})`);
  await client.query(`CREATE UNLOGGED TABLE ${kept} (LIKE ${places.kept} INCLUDING ALL)`);
  await client.query(`INSERT INTO ${kept} SELECT * FROM ${places.kept} WHERE sink = $1`, [sinkId]);
  const scratch: Places = { ...places, changes, kept };
  return {
    session: { ...session, places: scratch, changeSet: NO_CHANGE_SET },
    drop: async () => {
      await client.query(`DROP TABLE ${changes}, ${kept}`);
    },
  };
}

/** Drops what an attempt has left; the answer to its COMMIT may be lost. @returns the name */
async function clear(client: PoolClient, table: string): Promise<string> {
  await client.query(`DROP TABLE IF EXISTS ${table}`);
  return table;
}
