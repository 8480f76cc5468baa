/**
 * Decides which records stay although the listing lacks them, removes them from the change set, and stores the
 * reason.
 */
import { escapeIdentifier, type PoolClient } from 'pg';
import type { ApplyPlan, Judgement, Kept, KeptReason } from '../sink.ts';
import type { ForeignKey } from './foreign-keys.ts';
import { type Bind, createParameters } from './parameters.ts';
import type { Session } from './session.ts';

/**
 * @param of.synced false: the live records existed before our first sync
 * @param of.plan.settles true: nothing that stays waits for an answer any more, since `force` or an approval is the answer
 * @returns the number that stay, by reason
 */
export async function keepRecords(
  client: PoolClient,
  session: Session,
  { plan, synced }: { plan: KeepPlan; synced: boolean },
): Promise<Kept> {
  const { table, options } = session;
  const kept: Partial<Record<KeptReason, number>> = {};
  const keep = async (reason: KeptReason, which: Condition): Promise<void> => {
    const count = await moveToKept(client, session, reason, { which, settles: plan.settles ?? true });
    if (count > 0) kept[reason] = (kept[reason] ?? 0) + count;
  };
  const before = (reason: KeptReason): Condition => keptBefore(session, reason);
  if (!plan.force) {
    // A rollback restored these records, or they existed before our first sync: only --force-delete removes them.
    await keep('rolled_back', before('rolled_back'));
    await keep('not_ours', before('not_ours'));
    if (!synced) await keep('not_ours', all);
  }
  if (!plan.mayRemove) {
    // Without evidence no question is settled.
    await keep('held', before('held'));
    await keep('no_evidence', all);
  }
  const { answered } = plan;
  if (answered && answered.size > 0)
    await keep('answered', (bind) => `id = ANY (${bind([...answered])}::text[])`);
  for (const key of table.foreignKeys) {
    if (key.onDelete === 'changes' && options.allowCascade) continue;
    // A record that waits for an answer goes on waiting once nothing refers to it.
    await keep('referenced', (bind) => {
      const referenced = isReferenced(key, table.quoted);
      return plan.force ? referenced : `${referenced} AND NOT ${before('held')(bind)}`;
    });
  }
  return kept;
}

/**
 * Lets removals wait for an answer: all of them, or only those that waited before. Only an approved removal that names a
 * held record, or `--force-delete`, removes it.
 *
 * @returns their number
 */
export async function holdRecords(
  client: PoolClient,
  session: Session,
  { judgement, force }: { judgement: Judgement; force: boolean },
): Promise<number> {
  if (judgement !== 'apply') return await moveToKept(client, session, 'held', { which: all });
  return force ? 0 : await moveToKept(client, session, 'held', { which: keptBefore(session, 'held') });
}

type KeepPlan = Pick<ApplyPlan, 'mayRemove' | 'force' | 'answered'> & { readonly settles?: boolean };

/** SQL condition on the id of a change `c`. */
type Condition = (bind: Bind) => string;

const all: Condition = () => 'true';

function keptBefore({ places, sinkId }: Session, reason: KeptReason): Condition {
  return (bind) =>
    `id IN (SELECT id FROM ${places.kept} WHERE sink = ${bind(sinkId)} AND reason = ${bind(reason)})`;
}

async function moveToKept(
  client: PoolClient,
  { places, sinkId, changeSet }: Session,
  reason: KeptReason,
  { which, settles = true }: { which: Condition; settles?: boolean },
): Promise<number> {
  const { bind, values } = createParameters();
  const [set, why, sink, still] = [bind(changeSet), bind(reason), bind(sinkId), bind(!settles)];
  const { rowCount } = await client.query(
    `WITH gone AS (
       DELETE FROM ${places.changes} c WHERE change_set = ${set} AND kind = 'removed' AND (${which(bind)}) RETURNING id
     )
     INSERT INTO ${places.kept} AS k (sink, id, reason, change_set) SELECT ${sink}::int, id, ${why}, ${set} FROM gone
     ON CONFLICT (sink, id) DO UPDATE SET last_seen = now(), change_set = excluded.change_set,
       reason = CASE WHEN ${still}::boolean AND k.reason = 'held' THEN k.reason ELSE excluded.reason END`,
    values,
  );
  return rowCount ?? 0;
}

function isReferenced({ from, columns, references }: ForeignKey, live: string): string {
  const on = columns
    .map((column, at) => `f.${escapeIdentifier(column)} = l.${escapeIdentifier(references[at] ?? '')}`)
    .join(' AND ');
  return `EXISTS (SELECT FROM ${live} l JOIN ${from} f ON ${on} WHERE l.id = c.id)`;
}

/** The number of live records whose removal waits for an answer. */
export async function countHeld(
  client: PoolClient,
  { places, sinkId, table }: Pick<Session, 'places' | 'sinkId' | 'table'>,
): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ${places.kept} k JOIN ${table.quoted} l ON l.id = k.id WHERE k.sink = $1 AND k.reason = 'held'`,
    [sinkId],
  );
  return Number(rows[0]?.count);
}

/** Deletes the `kept` rows of records that the listing contains again; one that it tells as deleted is none of them. */
export async function forgetListed(
  client: PoolClient,
  { places, sinkId }: Session,
  staging: string,
): Promise<void> {
  await client.query(
    `DELETE FROM ${places.kept} k USING ${staging} n
     WHERE k.sink = $1 AND n.id = k.id AND (n.record IS NOT NULL OR n.updated_at IS NULL)`,
    [sinkId],
  );
}

/** Deletes the `kept` rows of records that are no longer live. */
export async function forgetGone(client: PoolClient, { places, sinkId, table }: Session): Promise<void> {
  await client.query(
    `DELETE FROM ${places.kept} k WHERE k.sink = $1 AND NOT EXISTS (SELECT FROM ${table.quoted} l WHERE l.id = k.id)`,
    [sinkId],
  );
}

/**
 * Marks records that a rollback restored: they stay until a listing contains them or `--force-delete` removes
 * them.
 */
export async function keepRolledBack(
  client: PoolClient,
  { places, sinkId, changeSet }: Session,
): Promise<void> {
  await client.query(
    `INSERT INTO ${places.kept} AS k (sink, id, reason, change_set)
     SELECT $1, id, 'rolled_back', $2 FROM ${places.changes} WHERE change_set = $2 AND kind = 'added'
     ON CONFLICT (sink, id) DO UPDATE SET reason = excluded.reason, last_seen = now(), change_set = excluded.change_set`,
    [sinkId, changeSet],
  );
}
