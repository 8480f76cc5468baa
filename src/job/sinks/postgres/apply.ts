/**
 * Applies a load to the live table in one transaction: checks the fence, writes the difference, lets the caller judge
 * it, makes the changes, moves the watermark.
 */
import type { PoolClient } from 'pg';
import {
  type Applied,
  type ApplyPlan,
  type ApplyResult,
  type Difference,
  type Kept,
  type Load,
  MOST_ASKED,
} from '../sink.ts';
import { closeChangeSet, readChangeSet, TABLE_WAS_EMPTY } from './change-sets.ts';
import {
  countChanges,
  type Counts,
  countLive,
  countMissed,
  writeDifference,
  writeGone,
} from './difference.ts';
import type { SinkRow } from './fence.ts';
import { fillEmpty } from './fill-empty.ts';
import { forgetGone, forgetListed, holdRecords, keepRecords } from './keep.ts';
import { createLiveTable } from './live-table.ts';
import { fillColumns } from './fill-columns.ts';
import { beginMigration, finishMigration, wallOf } from './migrate.ts';
import { addedRows, changedRows, type PlannedRows } from './planned-rows.ts';
import { forgetRejectedGone, noteRejected, offerAgain } from './refused-records.ts';
import { type Session, inWriteTransaction } from './session.ts';
import { causeOf } from './sink-fault.ts';
import { keepSourceState } from './source-states.ts';
import { countStaging, type Staged } from './staging.ts';
import { writeChanges } from './write-changes.ts';

/** What the apply of a kept plan does beside that of a load. */
export type Exactly = {
  /** Records in the listing of the plan. */
  readonly listed: number;
  /** Called once all is decided and before anything is written. @throws JobError unless it is what was planned */
  readonly confirm: (
    client: PoolClient,
    of: { readonly planned: PlannedRows; readonly watermark: Date | null },
  ) => Promise<void>;
};

export async function applyLoad(
  session: Session,
  load: Load,
  plan: ApplyPlan,
  exactly: Exactly | null = null,
): Promise<ApplyResult> {
  const staging = session.places.staging(session.sinkId, load.id);
  // Other modes are refused while the columns are not those of the list.
  const during = load.mode === 'everything' ? await beginMigration(session) : session;
  return await orAsk(async () => {
    const { applied } = await inWriteTransaction(
      during,
      (client, sink) => applyOnce(client, during, { sink, load, plan, staging, exactly }),
      async (client, { isNew }) => {
        if (isNew && load.mode === 'everything') await finishMigration(client, during);
      },
    );
    return applied;
  });
}

/** Runs a transaction that decides about a load; it may end with a question. */
export async function orAsk(work: () => Promise<Applied>): Promise<ApplyResult> {
  try {
    return { kind: 'applied', applied: await work() };
  } catch (error) {
    const cause = causeOf(error);
    if (cause instanceof AskFirst) return { kind: 'ask', ids: cause.ids };
    throw error;
  }
}

/** @returns `isNew`: this transaction applies it, not an earlier one */
async function applyOnce(
  client: PoolClient,
  session: Session,
  of: Omit<Applying, 'staged' | 'listed' | 'live'>,
): Promise<{ applied: Applied; isNew: boolean }> {
  const { load, staging } = of;
  const { state, counts } = await readChangeSet(client, session.places, session.changeSet);
  // A lost answer to COMMIT, or an earlier attempt: the step is applied and must not be applied twice.
  if (state === 'applied' && counts) return { applied: counts, isNew: false };
  const staged = await countStaging(client, session, load, { weigh: isWeighed(of) });
  const listed = of.exactly?.listed ?? staged.listed;
  const live = session.table.oid === null ? 0 : await countLive(client, session);
  const work = { ...of, staged, listed, live };
  if (live === 0) return { applied: await applyToEmpty(client, session, work), isNew: true };
  if (load.mode === 'everything') await fillColumns(client, session, staging);
  return { applied: await applyDifference(client, session, work), isNew: true };
}

/** Rolls the transaction back: the records to remove must be re-checked with the source first. */
class AskFirst extends Error {
  override readonly name = 'AskFirst';
  readonly ids: readonly string[];

  constructor(ids: readonly string[]) {
    super('records to remove must be re-checked with the source first');
    this.ids = ids;
  }
}

export type Work = {
  readonly sink: SinkRow;
  readonly load: Load;
  readonly plan: ApplyPlan;
  readonly staging: string;
  readonly staged: Staged;
  readonly listed: number;
  readonly live: number;
};

type Applying = Work & { readonly exactly: Exactly | null };

export type Decided = {
  readonly difference: Difference;
  readonly counts: Counts;
  /** With what this run holds. */
  readonly kept: Kept;
  readonly heldAsUnusual: boolean;
  /** Records that a delta offers the table again. */
  readonly offered: number;
};

/** Writes the change set and what is kept, as judged. The live table stays. @throws AskFirst */
export async function decide(client: PoolClient, session: Session, work: Work): Promise<Decided> {
  const { sink, load, plan, staging, listed, live } = work;
  const offered = load.mode === 'changes' ? await offerAgain(client, session, staging) : 0;
  await writeDifference(client, session, {
    staging,
    mode: load.mode,
    stamped: plan.stamped ?? false,
  });
  if (load.mode === 'changes') await writeGone(client, session, staging);
  const kept = await keepRecords(client, session, { plan, synced: sink.synced });
  const differing = await countChanges(client, session);
  const difference: Difference = {
    ...differing,
    live,
    listed,
    kept,
    ...measuredOf(work),
    missed:
      load.mode === 'everything'
        ? await countMissed(client, session, { staging, watermark: sink.watermark })
        : null,
  };
  const judgement = plan.judge(difference);
  if (differing.removed > 0 && plan.answered === null)
    throw new AskFirst(await idsToAsk(client, session, plan));
  const held = await holdRecords(client, session, { judgement, force: plan.force });
  const counts = { ...differing, removed: differing.removed - held };
  const heldAsUnusual = judgement === 'hold_unusual' && held > 0;
  return { difference, counts, kept: withHeld(kept, held), heldAsUnusual, offered };
}

async function applyDifference(client: PoolClient, session: Session, work: Applying): Promise<Applied> {
  const { load, plan, staging } = work;
  const { difference, counts, kept, heldAsUnusual } = await decide(client, session, work);
  await work.exactly?.confirm(client, {
    planned: changedRows(session, staging),
    watermark: watermarkOf(work),
  });
  const rejected = await writeChanges(client, session, { staging, counts, mayReject: plan.mayReject });
  const made = await countChanges(client, session);
  await forgetListed(client, session, staging);
  await forgetGone(client, session);
  return await close(client, session, {
    ...work,
    applied: { ...difference, ...made, kept, rejected, ...(heldAsUnusual ? { heldAsUnusual } : {}) },
    beginsHistory: load.mode === 'everything' ? wallOf(session.table) : null,
  });
}

/** A resumed load has waited between its attempts, so its time says nothing about the source. */
function measuredOf({
  load,
  staged: { bytes },
}: Pick<Work, 'load' | 'staged'>): Pick<Difference, 'bytes' | 'seconds'> {
  if (load.mode !== 'everything') return {};
  return {
    ...(bytes === null ? {} : { bytes }),
    ...(load.resumed ? {} : { seconds: Math.round((Date.now() - load.began.getTime()) / 1000) }),
  };
}

/** Only the bytes of a full listing are compared with those of earlier runs. */
export function isWeighed({ load, plan }: Pick<Work, 'load' | 'plan'>): boolean {
  return load.mode === 'everything' && plan.weigh === true;
}

function withHeld(kept: Kept, more: number): Kept {
  return more === 0 ? kept : { ...kept, held: (kept.held ?? 0) + more };
}

/** For a table without records: all of the listing is added. */
export function decideForEmpty({
  plan,
  staged: { records: added },
  listed,
}: Pick<Work, 'plan' | 'staged' | 'listed'>): Decided {
  const difference: Difference = { live: 0, listed, added, updated: 0, removed: 0, kept: {}, missed: null };
  plan.judge(difference);
  return {
    difference,
    counts: { added, updated: 0, removed: 0 },
    kept: {},
    heldAsUnusual: false,
    offered: 0,
  };
}

async function applyToEmpty(client: PoolClient, session: Session, work: Applying): Promise<Applied> {
  const { plan, staging } = work;
  const { difference } = decideForEmpty(work);
  await work.exactly?.confirm(client, { planned: addedRows(session, staging), watermark: watermarkOf(work) });
  const oid = session.table.oid ?? (await createLiveTable(client, session.table));
  await client.query(`UPDATE ${session.places.sinks} SET table_oid = $2 WHERE id = $1`, [
    session.sinkId,
    oid,
  ]);
  const rejected = await fillEmpty(client, session, { staging, mayReject: plan.mayReject });
  await client.query(`DELETE FROM ${session.places.kept} WHERE sink = $1`, [session.sinkId]);
  const applied: Applied = { ...difference, added: difference.added - rejected.length, rejected };
  return await close(client, session, { ...work, applied, beginsHistory: TABLE_WAS_EMPTY });
}

async function close(
  client: PoolClient,
  session: Session,
  of: Work & { applied: Applied; beginsHistory: string | null },
): Promise<Applied> {
  const { places, sinkId, changeSet } = session;
  const { plan, load, staging, applied } = of;
  await noteRejected(client, session, { staging, rejected: applied.rejected, mode: load.mode });
  if (load.mode === 'ids' && plan.proven) await forgetRejectedGone(client, session, { staging, plan });
  const watermark = watermarkOf(of);
  const whole = load.mode === 'everything';
  await client.query(
    `UPDATE ${places.sinks} SET watermark = $2, synced = synced OR $3, proven = CASE WHEN $3 THEN $4 ELSE proven END,
       coarse_times = CASE WHEN $3 THEN $5 ELSE coarse_times END WHERE id = $1`,
    [sinkId, watermark, whole, plan.proven, plan.coarseTimes],
  );
  if (plan.sourceState) await keepSourceState(client, session, plan.sourceState);
  await closeChangeSet(client, places, {
    id: changeSet,
    applied,
    watermark,
    beginsHistory: of.beginsHistory,
  });
  return applied;
}

export function watermarkOf({ plan, sink }: Pick<Work, 'plan' | 'sink'>): Date | null {
  return plan.watermark === 'keep' ? sink.watermark : plan.watermark;
}

/** First those that may go now: a record that waits already goes on waiting. */
async function idsToAsk(
  client: PoolClient,
  { places, sinkId, changeSet }: Session,
  { force }: Pick<ApplyPlan, 'force'>,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT c.id FROM ${places.changes} c
       LEFT JOIN ${places.kept} k ON k.sink = $2 AND k.id = c.id AND k.reason = 'held' AND NOT $3
     WHERE c.change_set = $1 AND c.kind = 'removed' ORDER BY k.id IS NOT NULL, random() LIMIT ${MOST_ASKED}`,
    [changeSet, sinkId, force],
  );
  return rows.map(({ id }) => id).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
