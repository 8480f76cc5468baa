/** Finds records that the table refuses, by bisection under savepoints, and sets them aside, up to MAX_REJECTED. */
import type { PoolClient } from 'pg';
import { TooManyRejected } from '../../rejected.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import type { ApplyPlan, LoadMode } from '../sink.ts';
import { withdraw } from './difference.ts';
import type { Session } from './session.ts';
import { stagedFrom, stagedNames } from './shape.ts';
import { Collided, constraintIn, isRefusal, sqlState, UNIQUE_VIOLATION } from './sink-fault.ts';

const FOREIGN_KEY_VIOLATION = '23503';

export type Write = (ids: readonly string[]) => Promise<void>;

/** Collects the refused records. */
export class Refused {
  readonly records: RejectedRecord[] = [];
  readonly #mayReject: number;

  constructor(mayReject: number) {
    this.#mayReject = mayReject;
  }

  /** @throws TooManyRejected beyond the limit, once the error can name enough records */
  add(record: RejectedRecord): void {
    this.records.push(record);
    if (this.records.length > this.#mayReject && this.records.length >= TooManyRejected.MOST_TOLD)
      this.check();
  }

  /** @throws TooManyRejected */
  check(): void {
    if (this.records.length > this.#mayReject) throw new TooManyRejected(this.records, this.#mayReject);
  }
}

/** Writes all ids; finds the refused ones, removes them from the change set and adds them to `refused`. */
export async function writeOrRefuse(
  client: PoolClient,
  session: Session,
  of: { ids: readonly string[]; refused: Refused; write: Write; undo?: (id: string) => Promise<void> },
): Promise<void> {
  const { ids, refused, write, undo } = of;
  await client.query('SAVEPOINT slice');
  try {
    await write(ids);
    await client.query('RELEASE SAVEPOINT slice');
    return;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT slice; RELEASE SAVEPOINT slice');
    const [only] = ids;
    if (ids.length === 1 && only !== undefined) {
      if (await isOfId(client, error)) throw new Collided(error);
      refused.add({ where: 'the sink', id: only, why: constraintReason(error) });
      await undo?.(only);
      await withdraw(client, session, [only]);
      return;
    }
  }
  const half = Math.ceil(ids.length / 2);
  await writeOrRefuse(client, session, { ...of, ids: ids.slice(0, half) });
  await writeOrRefuse(client, session, { ...of, ids: ids.slice(half) });
}

/** True for a duplicate id: another session added it after our snapshot, so a retry of the transaction sees it. */
async function isOfId(client: PoolClient, error: unknown): Promise<boolean> {
  if (sqlState(error) !== UNIQUE_VIOLATION) return false;
  const { rows } = await client.query<{ column: string }>(
    `SELECT a.attname::text AS column FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE c.relname = $1 AND i.indnkeyatts = 1`,
    [constraintIn(error)],
  );
  return rows.some(({ column }) => column === 'id');
}

/** The reason without Postgres' DETAIL, which quotes the record. */
function constraintReason(error: unknown): string {
  const constraint = constraintIn(error);
  const state = sqlState(error);
  const name = constraint === null ? 'the table' : `its constraint ${constraint}`;
  const what =
    state === FOREIGN_KEY_VIOLATION
      ? 'refers to a row that does not exist'
      : state === UNIQUE_VIOLATION
        ? 'repeats a value of another record'
        : 'is not valid';
  return `${name} refuses the record, which ${what} (SQLSTATE ${state}); correct the record in the source, or the table`;
}

/** Adds earlier refused records to a delta: the table may accept them now. @returns their number */
export async function offerAgain(
  client: PoolClient,
  { places, sinkId, table: { shape } }: Session,
  staging: string,
): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO ${staging} (id, updated_at, record${stagedNames(shape.columns)})
     SELECT id, updated_at, record${stagedFrom(shape, 'record')} FROM ${places.rejected} r
     WHERE sink = $1 AND NOT EXISTS (SELECT FROM ${staging} n WHERE n.id = r.id)`,
    [sinkId],
  );
  return rowCount ?? 0;
}

/** Stores the refused records, for inspection and for the next delta. */
export async function noteRejected(
  client: PoolClient,
  { places, sinkId }: Session,
  { staging, rejected, mode }: { staging: string; rejected: readonly RejectedRecord[]; mode: LoadMode },
): Promise<void> {
  if (mode === 'ids') return;
  // A delta has offered all of them again, and a full listing covers every record, so old rows are obsolete.
  await client.query(`DELETE FROM ${places.rejected} r WHERE sink = $1`, [sinkId]);
  if (rejected.length === 0) return;
  await client.query(
    `INSERT INTO ${places.rejected} (sink, id, updated_at, record, reason)
     SELECT $1, n.id, n.updated_at, n.record, why.reason
     FROM unnest($2::text[], $3::text[]) AS why (id, reason) JOIN ${staging} n ON n.id = why.id WHERE n.record IS NOT NULL`,
    [sinkId, rejected.map(({ id }) => id), rejected.map(({ why }) => why)],
  );
}

/** Deletes refused records that the source has no longer, so that no delta brings them back. */
export async function forgetRejectedGone(
  client: PoolClient,
  { places, sinkId }: Session,
  { staging, plan }: { staging: string; plan: Pick<ApplyPlan, 'answered'> },
): Promise<void> {
  await client.query(
    `DELETE FROM ${places.rejected} r WHERE sink = $1 AND id <> ALL ($2::text[])
       AND NOT EXISTS (SELECT FROM ${staging} n WHERE n.id = r.id)`,
    [sinkId, [...(plan.answered ?? [])]],
  );
}
