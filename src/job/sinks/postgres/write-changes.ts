/** Applies the changes of a set to the live table: deletes, then updates, then inserts. */
import type { PoolClient } from 'pg';
import type { RejectedRecord } from '../../sources/source.ts';
import { Refused, type Write, writeOrRefuse } from './refused-records.ts';
import type { Session } from './session.ts';
import { assignments, valuesFrom } from './shape.ts';
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
    await client.query('ROLLBACK TO SAVEPOINT updates');
    if (sqlState(error) === UNIQUE_VIOLATION) await emptyAll(client, session);
    const write = (some: readonly string[]): Promise<void> => update(client, session, staging, some);
    await inSlices(client, session, 'updated', (ids) =>
      writeOrRefuse(client, session, { ids, refused, write, undo: (id) => restore(client, session, id) }),
    );
  }
  await client.query('RELEASE SAVEPOINT updates');
}

async function emptyAll(client: PoolClient, session: Session): Promise<void> {
  const { table } = session;
  await client.query('SAVEPOINT emptied');
  try {
    await inSlices(client, session, 'updated', async (ids) => {
      await client.query(
        `UPDATE ${table.quoted} SET ${assignments(table.shape, valuesFrom(table.shape, `'{}'::jsonb`))} WHERE id = ANY ($1::text[])`,
        [ids],
      );
    });
  } catch (error) {
    // A constraint forbids empty records: then each record is updated alone.
    if (!isRefusal(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT emptied');
  }
}

/** Restores the old record of an emptied row whose new record the table refuses. */
async function restore(client: PoolClient, { places, table, changeSet }: Session, id: string): Promise<void> {
  await client.query(
    `UPDATE ${table.quoted} l SET updated_at = c.old_updated_at, ${assignments(table.shape, valuesFrom(table.shape, 'c.old_record'))}
     FROM ${places.changes} c WHERE c.change_set = $1 AND c.id = $2 AND l.id = $2`,
    [changeSet, id],
  );
}
