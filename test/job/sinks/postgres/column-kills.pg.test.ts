/** A sync that changes the columns, cut off at any statement: readers see all of it or nothing, and what follows ends well. */
import { Client } from 'pg';
import { expect, it } from 'vitest';
import type { ColumnSettings } from '../../../../src/job/columns/columns-settings.ts';
import { NEW_COLUMN, parseColumns } from '../../../../src/job/columns/parse-columns.ts';
import type { SourceRecord } from '../../../../src/job/sources/source.ts';
import { createDatabase } from '../../../support/database.ts';
import { attempt } from '../../support/attempt.ts';
import { memorySource } from '../../support/memory-source.ts';
import { startStatementProxy } from '../../support/statement-proxy.ts';

const record = (nth: number, version: number): SourceRecord => ({
  id: `r${nth}`,
  updated_at: '2025-01-01T00:00:00.000Z',
  record: { name: `name ${nth}`, pages: version + nth },
});

/** Each changes a type, adds and drops a column. */
const LISTS: readonly ColumnSettings[] = ['name text, pages bigint', 'size text, pages numeric'].map(
  (list) => ({
    list: parseColumns(list),
    keepsRecord: true,
    mayDrop: ['name', 'size', 'pages'],
  }),
);

it('a sync that changes columns and is killed at any statement has done all or nothing', async () => {
  await using database = await createDatabase({ migrated: false });
  const { url } = database;
  const client = new Client({ connectionString: url, query_timeout: 30_000 });
  await client.connect();
  /** What readers see: a column that they do not know yet is left out. */
  const seen = async (): Promise<unknown> => {
    const { rows } = await client.query<{ row: Record<string, unknown> }>(
      'SELECT to_jsonb(c) AS row FROM cities c ORDER BY id',
    );
    return rows.map(({ row }) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith(NEW_COLUMN))),
    );
  };
  const owed = (records: readonly SourceRecord[], { list }: ColumnSettings): unknown =>
    records.map(({ id, updated_at, record: fields }) => ({
      id,
      updated_at: expect.stringContaining(updated_at.slice(0, 10)) as string,
      record: fields,
      ...Object.fromEntries(list.map(({ name }) => [name, fields[name] ?? null])),
    }));
  try {
    const source = memorySource([1, 2, 3].map((nth) => record(nth, 0)));
    const [first = LISTS[0]] = LISTS;
    await attempt({ url, action: 'sync', job: 1, source, columns: first });
    let [columns, records] = [first, source.records];
    for (let cut = 1; ; cut += 1) {
      const next = LISTS[cut % 2];
      const job = cut * 10;
      source.put([1, 2, 3].map((nth) => record(nth, nth === 2 ? cut : 0)));
      await using proxy = await startStatementProxy({
        url,
        cut: { at: cut, when: cut % 4 < 2 ? 'before' : 'after', ends: 'program' },
      });
      const of = { action: 'sync', job, source, columns: next } as const;
      const killed = await attempt({ ...of, url: proxy.url });
      const where = `statement ${cut}: ${proxy.statements[cut - 1]}`;
      const both = [owed(records, columns as ColumnSettings), owed(source.records, next as ColumnSettings)];
      expect(both, where).toContainEqual(await seen());
      if (!proxy.cut) {
        expect(cut, 'every statement was cut').toBeGreaterThan(30);
        break;
      }
      const again = { ...of, url, checkpoint: killed.checkpoint, attempt: 2 };
      expect(await attempt(again), where).toMatchObject({ code: 'ok' });
      expect(await seen(), where).toEqual(both[1]);
      const { rowCount } = await client.query(
        `SELECT FROM pg_attribute WHERE attrelid = 'cities'::regclass AND NOT attisdropped AND starts_with(attname, $1)`,
        [NEW_COLUMN],
      );
      expect(rowCount, where).toBe(0);
      [columns, records] = [next, source.records];
    }
  } finally {
    await client.end();
  }
}, 180_000);
