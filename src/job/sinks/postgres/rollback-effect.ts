/** Computes the effect of a rollback without making it, for a preview and for `--expect`. */
import type { PoolClient } from 'pg';
import type { RollbackPreview } from '../../../domain/report.ts';
import { JobError } from '../../job-error.ts';
import type { RollbackTo } from '../sink.ts';
import type { ChangeSet } from './change-sets.ts';
import { READ_ONLY } from './connect.ts';
import { findSink } from './fence.ts';
import { findGoal } from './history.ts';
import type { LiveTable } from './live-table.ts';
import { type Bind, createParameters } from './parameters.ts';
import type { Places } from './places.ts';
import { type Connection, inStateTransaction, type Session } from './session.ts';
import { differs, hashOf, recordOf, recordToBe, type Shape, stagedFrom } from './shape.ts';

/** Reads only; may run beside any other job. */
export async function previewRollback(
  connection: Connection,
  table: LiveTable,
  to: RollbackTo,
): Promise<RollbackPreview> {
  const { places } = connection;
  return await inStateTransaction(
    connection,
    async (client) => {
      const sink = await findSink(client, places, table);
      if (!sink)
        throw new JobError(
          'nothingToRollBack',
          `${places.shown} has no earlier data to restore: no job has changed it yet`,
        );
      const goal = await findGoal(client, places, { sink: sink.id, before: to.before, except: null });
      const { watermark } = sink;
      return await describeEffect(client, {
        places,
        table,
        sink: sink.id,
        goal,
        except: null,
        only: to.only,
        watermark,
      });
    },
    READ_ONLY,
  );
}

/** @throws JobError `previewChanged` */
export async function refuseOtherEffect(
  client: PoolClient,
  { places, table, sinkId, changeSet }: Session,
  { goal, expect, only }: { goal: ChangeSet } & Pick<RollbackTo, 'expect' | 'only'>,
): Promise<void> {
  if (expect === null) return;
  const { digest } = await countEffect(client, {
    places,
    table,
    sink: sinkId,
    goal,
    except: changeSet,
    only,
  });
  if (digest === expect) return;
  throw new JobError(
    'previewChanged',
    `${places.shown} has changed since the preview, so this rollback would have another effect; nothing was changed. Request a new preview`,
  );
}

/** The change sets that a rollback undoes: those of the sink from `goal` on, except the running one. */
export type UndoneSets = {
  readonly sink: number;
  readonly goal: Pick<ChangeSet, 'id' | 'job_id' | 'job_uid'>;
  readonly except: string | null;
  readonly only: RollbackTo['only'];
};

/** SQL condition on the change set `s`. */
function isUndone({ sink, goal, except }: UndoneSets, bind: Bind): string {
  return `s.sink = ${bind(sink)} AND s.id >= ${bind(goal.id)} AND s.id IS DISTINCT FROM ${bind(except)}::bigint`;
}

/** SQL condition on the change `c`: it is of a record that the rollback is limited to. */
function isChosen({ changes, changeSets }: Places, { sink, goal, only }: UndoneSets, bind: Bind): string {
  if (only === undefined) return 'true';
  if (only !== 'of the job') return `c.id = ANY (${bind([...only.ids])}::text[])`;
  const { id, job_id: number, job_uid: uid } = goal;
  // A diff has two sets. A run without a job has one.
  const isOfJob =
    uid === null ? `g.job_uid IS NULL AND g.job_id = ${bind(number)}` : `g.job_uid = ${bind(uid)}`;
  return `c.id IN (SELECT j.id FROM ${changes} j JOIN ${changeSets} g ON g.id = j.change_set
    WHERE g.sink = ${bind(sink)} AND (g.id = ${bind(id)} OR (${isOfJob})))`;
}

/** SELECT of each record as it was before the undone sets, as a row of staging; `record` is null if it did not exist. */
export function earlierRows(
  { places, shape }: { readonly places: Places; readonly shape: Shape },
  undone: UndoneSets,
  bind: Bind,
): string {
  const { changes, changeSets } = places;
  return `
    SELECT id, updated_at, record${stagedFrom(shape, 'record')} FROM (
      SELECT DISTINCT ON (c.id) c.id, c.old_updated_at AS updated_at, c.old_record AS record
      FROM ${changes} c JOIN ${changeSets} s ON s.id = c.change_set
      WHERE ${isUndone(undone, bind)} AND ${isChosen(places, undone, bind)}
      ORDER BY c.id, c.change_set) earliest`;
}

type Effect = UndoneSets & { readonly places: Places; readonly table: LiveTable; readonly goal: ChangeSet };

async function describeEffect(
  client: PoolClient,
  effect: Effect & { watermark: Date | null },
): Promise<RollbackPreview> {
  const { goal, only } = effect;
  const watermark = only === undefined ? goal.watermark_before : effect.watermark;
  const counts = await countEffect(client, effect);
  return {
    before: {
      job_id: goal.job_id === null ? null : Number(goal.job_id),
      job_uid: goal.job_uid,
      action: goal.action,
      applied_at: (goal.applied_at ?? goal.opened_at).toISOString(),
    },
    ...counts,
    watermark: watermark?.toISOString() ?? null,
    ...(only === undefined ? {} : { some_records: true }),
    sample: await sampleEffect(client, effect),
  };
}

/** Common table expressions up to `effect`, which has one row per record that would change. */
function effectRows(effect: Effect, bind: Bind): string {
  const { places, table } = effect;
  const { shape } = table;
  const now = recordOf(shape, 'l');
  const then = recordToBe(shape, 'n');
  return `
    WITH n AS (${earlierRows({ places, shape }, effect, bind)}),
    newest AS (
      SELECT DISTINCT ON (c.id) c.id, c.new_hash FROM ${places.changes} c JOIN ${places.changeSets} s ON s.id = c.change_set
      WHERE ${isUndone(effect, bind)} ORDER BY c.id, c.change_set DESC),
    effect AS (
      SELECT n.id, ${hashOf('l', now)} AS live_hash, ${hashOf('n', then)} AS then_hash, newest.new_hash,
        ${now} AS now_record, ${then} AS then_record, l.updated_at AS now_at, n.updated_at AS then_at,
        CASE WHEN n.record IS NULL THEN 'removed' WHEN l.id IS NULL THEN 'added' ELSE 'updated' END AS change
      FROM n JOIN newest USING (id) LEFT JOIN ${table.quoted} l ON l.id = n.id
      WHERE (n.record IS NULL) <> (l.id IS NULL) OR ${differs(shape, 'l', 'n')})`;
}

type EffectCounts = Pick<RollbackPreview, 'added' | 'updated' | 'removed' | 'changed_by_others' | 'digest'>;

async function countEffect(client: PoolClient, effect: Effect): Promise<EffectCounts> {
  const { bind, values } = createParameters();
  const { rows } = await client.query<Record<'added' | 'updated' | 'removed' | 'others' | 'digest', string>>(
    `${effectRows(effect, bind)}
     SELECT count(*) FILTER (WHERE change = 'added') AS added, count(*) FILTER (WHERE change = 'updated') AS updated,
       count(*) FILTER (WHERE change = 'removed') AS removed, count(*) FILTER (WHERE live_hash IS DISTINCT FROM new_hash) AS others,
       md5(count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws(' ', id, change, live_hash, then_hash), 0)::numeric), 0)) AS digest
     FROM effect`,
    values,
  );
  const row = rows[0];
  return {
    added: Number(row?.added),
    updated: Number(row?.updated),
    removed: Number(row?.removed),
    changed_by_others: Number(row?.others),
    digest: row?.digest ?? '',
  };
}

async function sampleEffect(client: PoolClient, effect: Effect): Promise<RollbackPreview['sample']> {
  const { bind, values } = createParameters();
  const { rows } = await client.query<{
    id: string;
    change: RollbackPreview['sample'][number]['change'];
    now_record: Fields;
    then_record: Fields;
    same_time: boolean;
  }>(
    `${effectRows(effect, bind)}
     SELECT id, change, now_record, then_record, now_at = then_at AS same_time FROM effect ORDER BY change, id LIMIT 20`,
    values,
  );
  return rows.map(({ id, change, now_record: now, then_record: then, same_time: sameTime }) => ({
    id: id.slice(0, 200),
    change,
    fields: change === 'updated' ? differing(now, then, sameTime) : [],
  }));
}

type Fields = Readonly<Record<string, unknown>> | null;

/** Names of the changed fields, without values: every reader of a job sees them, and values are data. */
function differing(now: Fields, then: Fields, sameTime: boolean): string[] {
  const names = new Set([...Object.keys(now ?? {}), ...Object.keys(then ?? {})]);
  const other = [...names].filter((name) => JSON.stringify(now?.[name]) !== JSON.stringify(then?.[name]));
  return [...(sameTime ? [] : ['updated_at']), ...other].map((name) => name.slice(0, 100)).slice(0, 20);
}
