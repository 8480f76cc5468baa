import { expect, it } from 'vitest';
import { fitColumns } from '../../../src/job/columns/fitted-source.ts';
import { parseColumns } from '../../../src/job/columns/parse-columns.ts';
import type { SourceBatch } from '../../../src/job/sources/source.ts';
import { memorySource } from '../support/memory-source.ts';

const at = '2026-01-01T00:00:00Z';

async function listed(list: string, records: Record<string, unknown>[]) {
  const own = records.map((record, nth) => ({ id: `k${nth}`, updated_at: at, record }));
  const source = fitColumns(memorySource(own), parseColumns(list));
  const batches: SourceBatch[] = [];
  for await (const batch of source.changedSince(null, null, 2)) batches.push(batch);
  return {
    source,
    ids: batches.flatMap((batch) => batch.records.map(({ id }) => id)),
    rejected: batches.flatMap((batch) => batch.rejected),
    cursors: batches.map(({ cursor }) => cursor.done),
  };
}

it('a record that does not fit is set aside with its column and without its value', async () => {
  const { ids, rejected, cursors } = await listed('pages bigint, day date', [
    { pages: 1, day: '2026-01-31' },
    { pages: 'secret' },
    { day: '2026-02-30' },
    {},
    { pages: null, day: null },
  ]);
  expect(ids).toEqual(['k0', 'k3', 'k4']);
  expect(rejected).toEqual([
    {
      where: 'SINK_COLUMNS pages bigint',
      id: 'k1',
      why: 'its field is not a whole number from -9223372036854775808 to 9223372036854775807; correct the record, or the type in SINK_COLUMNS',
    },
    {
      where: 'SINK_COLUMNS day date',
      id: 'k2',
      why: expect.stringContaining('a day of the calendar, such as 2026-11-30') as string,
    },
  ]);
  expect(cursors).toEqual([2, 4, 5]);
});

it('a field named as a property of every object is no value', async () => {
  const { ids } = await listed('constructor bigint, toString text', [{}]);
  expect(ids).toEqual(['k0']);
});

it('a column without a field in any record is told', async () => {
  const { source } = await listed('pages bigint, pagse bigint', [{ pages: 1 }]);
  expect(source.remarks?.()).toEqual([
    'SINK_COLUMNS pagse bigint: none of the 1 records has this field; correct its name, or remove the column',
  ]);
  expect((await listed('pages bigint', [])).source.remarks?.()).toEqual([]);
});

it('a load is not resumed under another list', () => {
  const mapping = (list: string) => fitColumns(memorySource(), parseColumns(list)).mapping;
  expect(mapping('a text')).toBe(mapping('a  TEXT'));
  expect(mapping('a text')).not.toBe(mapping('a jsonb'));
  expect(mapping('a text')).not.toBe(mapping('b text'));
  expect(fitColumns(memorySource(), []).mapping).toBeUndefined();
});
