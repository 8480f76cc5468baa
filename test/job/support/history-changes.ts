/** Generates changes outside of our jobs: records in the source, and rows that other programs write. */

import type { ClientBase } from 'pg';
import type { SourceRecord } from '../../../src/job/sources/source.ts';
import type { Change } from './history-chapters.ts';
import { type Form, named, readRows } from './live-rows.ts';

/** The guard always allows five removals; a source without records would be refused. */
const LEAST_RECORDS = 10;

/** @param made a unique number */
export function changeRecords(
  records: readonly SourceRecord[],
  { add, update, remove }: Change,
  made: () => number,
): SourceRecord[] {
  const at = new Date().toISOString();
  const left = new Map(records.map((record) => [record.id, record]));
  const pick = (share: number): string => records[Math.floor(share * records.length)]?.id ?? '';
  for (const share of update) left.set(pick(share), named(pick(share), `version ${made()}`, at));
  for (let nth = 0; nth < add; nth += 1) {
    const id = `r${made()}`;
    left.set(id, named(id, 'added', at));
  }
  for (const share of remove) if (left.size > LEAST_RECORDS) left.delete(pick(share));
  return [...left.values()];
}

/** @returns the ids of existing rows that now differ */
export async function writeAsOthers(
  client: ClientBase,
  { add, update, remove }: Change,
  { made, form }: { made: () => number; form: Form },
): Promise<string[]> {
  const ids = [...(await readRows(client, form)).keys()];
  const pick = (share: number): string => ids[Math.floor(share * ids.length)] ?? '';
  const [updated, removed] = [update.map(pick), remove.map(pick)];
  const [byHand, theirs] = [form.written('by hand'), form.written('theirs')];
  await client.query(`UPDATE cities SET (${byHand.columns}) = ROW (${byHand.values}) WHERE id = ANY ($1)`, [
    updated,
  ]);
  await client.query('DELETE FROM cities WHERE id = ANY ($1)', [removed]);
  for (let nth = 0; nth < add; nth += 1) {
    await client.query(
      `INSERT INTO cities (id, updated_at, ${theirs.columns}) VALUES ($1, now(), ${theirs.values})`,
      [`o${made()}`],
    );
  }
  return [...updated, ...removed];
}
