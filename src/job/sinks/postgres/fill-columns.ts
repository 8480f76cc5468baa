/** Fills the new columns of a migration, in the transaction of the sync. */
import { escapeIdentifier, type PoolClient } from 'pg';
import type { LiveTable } from './live-table.ts';
import type { Migration } from './plan-migration.ts';
import type { Session } from './session.ts';
import { assignments, isUnfilled, namesIn, recordOf, type Shape, stagedValues, valuesFrom } from './shape.ts';
import { isRefusal } from './sink-fault.ts';

/** Fills the new columns from the live records, or from the listing where the table has no records. */
export async function fillColumns(
  client: PoolClient,
  session: Session,
  staging: string | null,
): Promise<void> {
  const { table, places } = session;
  const { migration } = table;
  if (migration === null || migration.words.length === 0) return;
  session.log(`the columns of ${places.shown} change: this sync ${migration.words.join('; ')}`);
  const fresh = newOnes(migration);
  if (migration.before.record !== null) {
    await fill(client, session, { ...fresh, record: null }, null);
    await tellUnfit(client, session, fresh);
  } else if (staging !== null) await fill(client, session, fresh, staging);
  if (fresh.record !== null)
    await client.query(
      `UPDATE ${table.quoted} l SET ${escapeIdentifier(fresh.record)} = ${recordOf(migration.before, 'l')}
       WHERE ${escapeIdentifier(fresh.record)} IS NULL`,
    );
}

/** The columns that hold no values yet. */
function newOnes({ during, after, added, adopted }: Migration): Shape {
  const names = new Set([...added.map(({ name }) => name), ...adopted]);
  return {
    record: after.record !== null && names.has(after.record) ? during.record : null,
    columns: during.columns.filter(({ name }) => names.has(name)),
  };
}

/** Rows that a constraint of the owner refuses stay empty; the sync then offers their records again and names them. */
async function fill(
  client: PoolClient,
  { table }: Session,
  fresh: Shape,
  staging: string | null,
): Promise<void> {
  if (namesIn(fresh).length === 0) return;
  const statement = fillOf(table.quoted, fresh, staging);
  await fillRows(client, { statement, all: () => idsOf(client, table), left: MOST_REFUSED }, null);
}

/** @param staging null: from the column `record` of the same row @returns UPDATE that further conditions may follow */
function fillOf(live: string, fresh: Shape, staging: string | null): string {
  return staging === null
    ? `UPDATE ${live} l SET ${assignments(fresh, valuesFrom(fresh, 'l.record'))} WHERE true`
    : `UPDATE ${live} l SET ${assignments(fresh, stagedValues(fresh, 'n'))} FROM ${staging} n WHERE n.id = l.id AND n.record IS NOT NULL`;
}

/** Finding each takes some statements. */
const MOST_REFUSED = 1_000;

type Filling = {
  readonly statement: string;
  readonly all: () => Promise<readonly string[]>;
  /** How many more rows may be refused. */
  left: number;
};

/** Finds refused rows by bisection. @param ids null: all rows @throws the refusal, beyond {@link MOST_REFUSED} */
async function fillRows(client: PoolClient, filling: Filling, ids: readonly string[] | null): Promise<void> {
  const { statement } = filling;
  await client.query('SAVEPOINT fill');
  try {
    if (ids === null) await client.query(statement);
    else await client.query(`${statement} AND l.id = ANY ($1::text[])`, [ids]);
    await client.query('RELEASE SAVEPOINT fill');
    return;
  } catch (error) {
    if (!isRefusal(error) || filling.left === 0) throw error;
    await client.query('ROLLBACK TO SAVEPOINT fill; RELEASE SAVEPOINT fill');
  }
  const each = ids ?? (await filling.all());
  if (each.length <= 1) {
    filling.left -= each.length;
    return;
  }
  const half = Math.ceil(each.length / 2);
  await fillRows(client, filling, each.slice(0, half));
  await fillRows(client, filling, each.slice(half));
}

async function idsOf(client: PoolClient, { quoted }: LiveTable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(`SELECT id FROM ${quoted} ORDER BY id`);
  return rows.map(({ id }) => id);
}

/** Records that the listing lacks, or that it has with an unfit value, stay as they are. */
async function tellUnfit(client: PoolClient, { table, log }: Session, fresh: Shape): Promise<void> {
  if (fresh.columns.length === 0) return;
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM ${table.quoted} l WHERE ${isUnfilled(fresh, 'l')}`,
  );
  const count = rows[0]?.count ?? 0;
  if (count > 0)
    log(
      `${count} live records have values that the new columns do not take; there the columns are NULL until the source corrects the records`,
    );
}
