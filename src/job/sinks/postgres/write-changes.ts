/** Applies the changes of a set to the live table: deletes, then updates, then inserts. */
import { escapeIdentifier, type PoolClient } from 'pg';
import { sqlName } from '../../columns/column-types.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import { withdraw } from './difference.ts';
import { fillerOf } from './filler.ts';
import type { LiveTable } from './live-table.ts';
import { Refused, type Write, writeOrRefuse } from './refused-records.ts';
import type { Session } from './session.ts';
import { assignments, type Shape, valuesFrom } from './shape.ts';
import { isRefusal, sqlState, UNIQUE_VIOLATION } from './sink-fault.ts';
import { indexStaging } from './staging.ts';
import { insert, remove, SLICE, update } from './statements.ts';

type Kind = 'removed' | 'updated' | 'added';

/** @param of.mayReject maximum number of records that the table may refuse @returns the refused records */
export async function writeChanges(
  client: PoolClient,
  session: Session,
  of: { staging: string; counts: Readonly<Record<Kind, number>>; mayReject: number },
): Promise<RejectedRecord[]> {
  const { staging, counts } = of;
  const refused = new Refused(of.mayReject);
  if (Math.max(counts.updated, counts.added) > SLICE) await indexStaging(client, staging);
  await inSlices(client, session, 'removed', (ids) => remove(client, session, ids));
  await updateAll(client, session, staging, refused);
  const write: Write = (some) => insert(client, session, staging, some);
  await inSlices(client, session, 'added', (ids) => writeOrRefuse(client, session, { ids, refused, write }));
  refused.check();
  return refused.records;
}

async function inSlices(
  client: PoolClient,
  { places, changeSet }: Session,
  kind: Kind,
  write: Write,
): Promise<void> {
  for (let after: string | null = null; ; ) {
    const { rows }: { rows: { id: string }[] } = await client.query(
      `SELECT id FROM ${places.changes} WHERE change_set = $1 AND kind = $2 AND ($3::text IS NULL OR id > $3) ORDER BY id LIMIT ${SLICE}`,
      [changeSet, kind, after],
    );
    if (rows.length > 0) await write(rows.map(({ id }) => id));
    if (rows.length < SLICE) return;
    after = rows.at(-1)?.id ?? null;
  }
}

/**
 * Updates all changed records. If two records swap a value with a unique index, all rows to update are emptied
 * first and filled afterwards.
 */
async function updateAll(
  client: PoolClient,
  session: Session,
  staging: string,
  refused: Refused,
): Promise<void> {
  await client.query('SAVEPOINT updates');
  try {
    await inSlices(client, session, 'updated', (ids) => update(client, session, staging, ids));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const empties = sqlState(error) === UNIQUE_VIOLATION;
    while (!(await updateEach(client, session, { staging, refused, empties })));
  }
  await client.query('RELEASE SAVEPOINT updates');
}

/** @returns false if it must be tried again, since a row that was emptied and refused cannot be restored */
async function updateEach(
  client: PoolClient,
  session: Session,
  { staging, refused, empties }: { staging: string; refused: Refused; empties: boolean },
): Promise<boolean> {
  await client.query('ROLLBACK TO SAVEPOINT updates');
  await withdraw(
    client,
    session,
    refused.records.flatMap(({ id }) => id ?? []),
  );
  const isEmptied = empties && (await emptyAll(client, session));
  const of = {
    refused,
    write: (some: readonly string[]) => update(client, session, staging, some),
    ...(isEmptied ? { undo: (id: string) => restore(client, session, id) } : {}),
  };
  try {
    await inSlices(client, session, 'updated', (ids) => writeOrRefuse(client, session, { ids, ...of }));
    return true;
  } catch (error) {
    if (!(error instanceof NotRestored)) throw error;
    return false;
  }
}

/** Another record has taken a value that the emptied row had, or its columns never had the values of its record. */
class NotRestored extends Error {
  override readonly name = 'NotRestored';
}

/** Whether a column that must not be NULL is in a unique index, by its name. */
type Mandatory = ReadonlyMap<string, boolean>;

/** @returns false if a constraint forbids empty records: then each is updated alone */
async function emptyAll(client: PoolClient, session: Session): Promise<boolean> {
  const { table } = session;
  const values = emptyValues(table.shape, await mandatoryOf(client, table));
  await client.query('SAVEPOINT emptied');
  try {
    await inSlices(client, session, 'updated', async (ids) => {
      await client.query(
        `UPDATE ${table.quoted} SET ${assignments(table.shape, values)} WHERE id = ANY ($1::text[])`,
        [ids],
      );
    });
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT emptied');
    return false;
  }
}

async function mandatoryOf(client: PoolClient, { oid }: LiveTable): Promise<Mandatory> {
  const { rows } = await client.query<{ name: string; unique: boolean }>(
    `SELECT attname::text AS name, EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisunique AND attnum = ANY (indkey)) AS unique
     FROM pg_attribute WHERE attrelid = $1 AND attnotnull AND NOT attisdropped`,
    [oid],
  );
  return new Map(rows.map(({ name, unique }) => [name, unique]));
}

/** NULL, but for columns that must not be: those keep their values unless a unique index has them. */
function emptyValues({ record, columns }: Shape, mandatory: Mandatory): string[] {
  const values = columns.map(({ stored, type }) => {
    const unique = mandatory.get(stored);
    if (unique === undefined) return 'NULL';
    return (unique ? fillerOf(sqlName(type)) : null) ?? escapeIdentifier(stored);
  });
  return record === null ? values : [`'{}'::jsonb`, ...values];
}

/** Restores the old record of an emptied row whose new record the table refuses. @throws NotRestored */
async function restore(client: PoolClient, { places, table, changeSet }: Session, id: string): Promise<void> {
  try {
    await client.query(
      `UPDATE ${table.quoted} l SET updated_at = c.old_updated_at, ${assignments(table.shape, valuesFrom(table.shape, 'c.old_record'))}
       FROM ${places.changes} c WHERE c.change_set = $1 AND c.id = $2 AND l.id = $2`,
      [changeSet, id],
    );
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new NotRestored('an emptied row cannot be restored', { cause: error });
  }
}
