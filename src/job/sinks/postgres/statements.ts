/**
 * The three statements that change the live table, each for a list of ids. Each verifies its result, to detect
 * triggers that alter or swallow rows.
 */
import type { PoolClient } from 'pg';
import { JobError } from '../../job-error.ts';
import type { Session } from './session.ts';
import { assignments, fillersOf, isSame, namesIn, type Shape, stagedNames, stagedValues } from './shape.ts';

/** Ids per statement. */
export const SLICE = 5_000;

export async function remove(client: PoolClient, session: Session, ids: readonly string[]): Promise<void> {
  const { rowCount } = await client.query(`DELETE FROM ${session.table.quoted} WHERE id = ANY ($1::text[])`, [
    ids,
  ]);
  if (rowCount !== ids.length) throw alters(session, ids, 'were not deleted');
}

export async function update(
  client: PoolClient,
  session: Session,
  staging: string,
  ids: readonly string[],
): Promise<void> {
  const { table } = session;
  const { rows } = await client.query<{ id: string; same: boolean }>(
    `UPDATE ${table.quoted} l SET updated_at = n.updated_at, ${assignments(table.shape, stagedValues(table.shape, 'n'))} FROM ${staging} n
     WHERE l.id = ANY ($1::text[]) AND n.id = ANY ($1::text[]) AND l.id = n.id
     RETURNING l.id, ${isSame(table.shape, 'l', 'n')} AS same`,
    [ids],
  );
  const other = rows.filter(({ same }) => !same).map(({ id }) => id);
  if (other.length > 0) throw alters(session, other, 'were stored differently');
  if (rows.length !== ids.length) throw alters(session, missing(ids, rows), 'were not updated');
}

export async function insert(
  client: PoolClient,
  session: Session,
  staging: string,
  ids: readonly string[],
): Promise<void> {
  const { table } = session;
  const names = namesIn(table.shape).join(', ');
  const fillers = fillersOf(table.shape);
  const { rows } = await client.query<{ id: string; same: boolean }>(
    `WITH new AS (SELECT id, updated_at, record${stagedNames(table.shape.columns)} FROM ${staging} WHERE id = ANY ($1::text[])),
       written AS (INSERT INTO ${table.quoted} (id, updated_at, ${names}${fillers.names})
         SELECT id, updated_at, ${stagedValues(table.shape, 'new').join(', ')}${fillers.values} FROM new RETURNING id, updated_at, ${names})
     SELECT l.id, ${isSame(table.shape, 'l', 'n')} AS same
     FROM written l LEFT JOIN new n ON n.id = l.id`,
    [ids],
  );
  const other = rows.filter(({ same }) => !same).map(({ id }) => id);
  if (other.length > 0) throw alters(session, other, 'were stored differently');
  if (rows.length !== ids.length) throw alters(session, missing(ids, rows), 'were not inserted');
}

function missing(ids: readonly string[], rows: readonly { id: string }[]): string[] {
  const there = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !there.has(id));
}

/** Concurrent changes cause a collision and a retry, so only a trigger or policy of the table can be the reason. */
function alters({ places, table }: Session, ids: readonly string[], what: string): JobError {
  const first = ids.slice(0, 5).map((id) => JSON.stringify(id));
  const triggers =
    table.triggers.length > 0
      ? `the reason is one of its triggers (${table.triggers.join(', ')})`
      : 'the reason is one of its triggers or policies';
  return new JobError(
    'sinkAlters',
    `${places.shown} alters written rows: ${ids.length} records ${what} (${first.join(', ')}${ids.length > 5 ? ', …' : ''}); ` +
      `${triggers}. Change it so that it leaves ${written(table.shape)} alone. Nothing was changed`,
  );
}

/** `id, updated_at and record` */
function written({ record, columns }: Shape): string {
  const names = [
    'id',
    'updated_at',
    ...(record === null ? [] : ['record']),
    ...columns.map(({ name }) => name),
  ];
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
