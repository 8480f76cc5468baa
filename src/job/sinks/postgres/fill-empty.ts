/** Fills an empty live table from a load. No old records exist, so no changes are stored. */
import type { PoolClient } from 'pg';
import type { RejectedRecord } from '../../sources/source.ts';
import { Refused, type Write, writeOrRefuse } from './refused-records.ts';
import type { Session } from './session.ts';
import { fillersOf, namesIn, stagedValues } from './shape.ts';
import { isRefusal } from './sink-fault.ts';
import { indexStaging } from './staging.ts';
import { insert, SLICE } from './statements.ts';

/** Inserts all records with one statement; in slices if the table refuses a record or has triggers. */
export async function fillEmpty(
  client: PoolClient,
  session: Session,
  { staging, mayReject }: { staging: string; mayReject: number },
): Promise<RejectedRecord[]> {
  const { table } = session;
  await client.query('SAVEPOINT filling');
  try {
    // Slices verify each written row, which a trigger may alter.
    if (table.triggers.length > 0) return await fillInSlices(client, session, { staging, mayReject });
    const fillers = fillersOf(table.shape);
    await client.query(
      `INSERT INTO ${table.quoted} (id, updated_at, ${namesIn(table.shape).join(', ')}${fillers.names})
       SELECT id, updated_at, ${stagedValues(table.shape, 'n').join(', ')}${fillers.values} FROM ${staging} n WHERE record IS NOT NULL`,
    );
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT filling');
  }
  return await fillInSlices(client, session, { staging, mayReject });
}

async function fillInSlices(
  client: PoolClient,
  session: Session,
  { staging, mayReject }: { staging: string; mayReject: number },
): Promise<RejectedRecord[]> {
  const refused = new Refused(mayReject);
  const write: Write = (some) => insert(client, session, staging, some);
  await indexStaging(client, staging);
  for (let after: string | null = null; ; ) {
    const { rows }: { rows: { id: string }[] } = await client.query(
      `SELECT id FROM ${staging} WHERE record IS NOT NULL AND ($1::text IS NULL OR id > $1) ORDER BY id LIMIT ${SLICE}`,
      [after],
    );
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await writeOrRefuse(client, session, { ids, refused, write });
    if (ids.length < SLICE) break;
    after = ids.at(-1) ?? null;
  }
  refused.check();
  return refused.records;
}
