/**
 * The fence of a sink: its row names the owner of the live table and the run that may write. The run that opened the
 * sink last holds the fence; older jobs cannot take it. Every writing transaction checks it first.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { LiveTable } from './live-table.ts';
import type { Places } from './places.ts';
import { ownerInWords, type Writer } from '../writer.ts';

export type SinkRow = {
  readonly id: number;
  readonly table_oid: number | null;
  readonly installation: string | null;
  readonly env: string | null;
  readonly target: string | null;
  readonly job_id: string | null;
  readonly job_uid: string | null;
  readonly step: number | null;
  readonly attempt: number | null;
  readonly run: string | null;
  readonly claimed_at: Date;
  readonly synced: boolean;
  readonly watermark: Date | null;
  readonly coarse_times: boolean;
  readonly proven: boolean;
};

/** Null if no run has opened this table yet. */
export async function findSink(
  client: PoolClient,
  places: Places,
  table: LiveTable,
): Promise<SinkRow | null> {
  const { rows } = await client.query<SinkRow>(
    `SELECT * FROM ${places.sinks} WHERE table_schema = $1 AND table_name = $2`,
    [table.name.schema, table.name.table],
  );
  return rows[0] ?? null;
}

export async function makeSink(client: PoolClient, places: Places, table: LiveTable): Promise<void> {
  await client.query(
    `INSERT INTO ${places.sinks} (table_schema, table_name, table_oid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [table.name.schema, table.name.table, table.oid],
  );
}

/**
 * Takes the fence for this run; refuses older jobs and other owners. The first run becomes the owner.
 *
 * @throws JobError `fenced`, `sinkOwned`, `sinkReplaced`
 */
export async function takeFence(
  client: PoolClient,
  places: Places,
  { table, writer, takeOver }: { table: LiveTable; writer: Writer; takeOver: boolean },
): Promise<SinkRow> {
  const { rows } = await client.query<SinkRow>(
    `SELECT * FROM ${places.sinks} WHERE table_schema = $1 AND table_name = $2 FOR UPDATE`,
    [table.name.schema, table.name.table],
  );
  const sink = rows[0];
  if (!sink)
    throw new JobError(
      'failed',
      `sink: the row of ${places.shown} is missing in ${places.sinks}; run the job again`,
    );
  if (!takeOver) {
    refuseOthers(sink, places, { table, writer });
    refuseOlder(sink, places, writer);
  }
  const taken = await client.query<SinkRow>(
    `UPDATE ${places.sinks} SET run = $2, claimed_at = now(), table_oid = coalesce($3, table_oid),
       installation = CASE WHEN $4 THEN $5 ELSE coalesce($5, installation) END,
       env = CASE WHEN $4 THEN $6 ELSE coalesce($6, env) END,
       target = CASE WHEN $4 THEN $7 ELSE coalesce($7, target) END,
       job_id = CASE WHEN $4 THEN $8::bigint ELSE coalesce($8::bigint, job_id) END,
       job_uid = CASE WHEN $8::bigint IS NULL AND NOT $4 THEN job_uid ELSE $9::uuid END,
       step = CASE WHEN $8::bigint IS NULL THEN step ELSE $10::int END,
       attempt = CASE WHEN $8::bigint IS NULL THEN attempt ELSE $11::int END
     WHERE id = $1 RETURNING *`,
    [
      sink.id,
      writer.run,
      table.oid,
      takeOver,
      writer.installation,
      writer.installation === null ? null : writer.env,
      writer.installation === null ? null : writer.target,
      writer.jobId,
      writer.jobUid,
      writer.step,
      writer.attempt,
    ],
  );
  const row = taken.rows[0];
  if (!row)
    throw new JobError(
      'failed',
      `sink: the row of ${places.shown} is missing in ${places.sinks}; run the job again`,
    );
  return row;
}

/** The first statement of every writing transaction; locks the row until its end. @throws JobError `fenced` */
export async function checkFence(
  client: PoolClient,
  places: Places,
  { sinkId, run }: { sinkId: number; run: string },
): Promise<SinkRow> {
  const { rows } = await client.query<SinkRow>(
    `UPDATE ${places.sinks} SET claimed_at = now() WHERE id = $1 AND run = $2 RETURNING *`,
    [sinkId, run],
  );
  if (!rows[0]) throw fenced(places, 'a newer run has opened it');
  // The UPDATE must come first: it takes the snapshot of this transaction.
  await client.query(
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`,
  );
  return rows[0];
}

/** True if this run holds the fence; the lock then keeps others from taking it until the transaction ends. */
export async function holdsFence(
  client: PoolClient,
  places: Places,
  { sinkId, run }: { sinkId: number; run: string },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM ${places.sinks} WHERE id = $1 AND run = $2 FOR SHARE`,
    [sinkId, run],
  );
  return rowCount === 1;
}

export function fenced({ shown }: Places, why: string): JobError {
  return new JobError('fenced', `${shown}: ${why}; this run has written nothing since then`);
}

/** @throws JobError `sinkOwned`, `sinkReplaced` */
export function refuseOthers(
  sink: SinkRow,
  places: Places,
  { table, writer }: { table: LiveTable; writer: Writer },
): void {
  refuseOtherOwner(sink, places, writer);
  refuseOtherTable(sink, places, table);
}

function refuseOtherOwner(sink: SinkRow, places: Places, writer: Writer): void {
  if (sink.installation === null || writer.installation === null) return;
  const same =
    sink.installation === writer.installation && sink.env === writer.env && sink.target === writer.target;
  if (same) return;
  throw new JobError(
    'sinkOwned',
    `${places.shown} belongs to ${ownerInWords(sink)}, whose job ${sink.job_id ?? '(none)'} wrote there at ` +
      `${sink.claimed_at.toISOString()}; this run belongs to ${ownerInWords(writer)}. Give each target its own table, or ` +
      `take it over: syncrator sink take-over ${writer.target} ${writer.env}`,
  );
}

function refuseOtherTable(sink: SinkRow, places: Places, table: LiveTable): void {
  if (sink.table_oid === null || table.oid === null || sink.table_oid === table.oid) return;
  throw new JobError(
    'sinkReplaced',
    `${places.shown} is not the table that was written until ${sink.claimed_at.toISOString()}: it was dropped and ` +
      `recreated, renamed or restored. If that was intended, take it over: syncrator sink take-over <target> <env>`,
  );
}

function refuseOlder(sink: SinkRow, places: Places, writer: Writer): void {
  if (sink.job_id === null || writer.jobId === null) return;
  const theirs = [Number(sink.job_id), sink.step ?? 0, sink.attempt ?? 0];
  const ours = [writer.jobId, writer.step, writer.attempt];
  const at = theirs.findIndex((part, nth) => part !== ours[nth]);
  if (at === -1 || (theirs[at] ?? 0) < (ours[at] ?? 0)) return;
  throw new JobError(
    'fenced',
    `a newer job (${sink.job_id}) wrote to ${places.shown} at ${sink.claimed_at.toISOString()}; this run has written ` +
      `nothing. If job numbers have restarted: syncrator sink take-over ${writer.target ?? '<target>'} ${writer.env ?? '<env>'}`,
  );
}
