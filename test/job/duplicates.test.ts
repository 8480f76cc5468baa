import { describe, expect, it } from 'vitest';
import { createPostgresSink } from '../../src/job/sinks/postgres/postgres-sink.ts';
import { setup } from './support/setup.ts';

const at = (day: number): string => `2025-01-0${day}T00:00:00Z`;

describe('a source that lists an id twice', () => {
  it('costs no record and no failure: the newest stays', async () => {
    await using t = await setup();
    const settings = { kind: 'postgres', url: t.sinkUrl, table: 'cities' } as const;
    const sink = createPostgresSink({ settings, lanes: 1, jobId: 1 });
    const turn = Promise.resolve();
    await sink.open();
    const load = await sink.beginLoad({ watermark: new Date(), resume: null });
    const first = [{ id: 'a', updated_at: at(2), record: { name: 'a2' } }];
    const second = [
      { id: 'a', updated_at: at(1), record: { name: 'a1' } },
      { id: 'b', updated_at: at(1), record: { name: 'b1' } },
      { id: 'b', updated_at: at(3), record: { name: 'b3' } },
    ];
    expect(await sink.loadBatch(load, { records: first, from: null, to: 'a' }, turn)).toBe(1);
    expect(await sink.loadBatch(load, { records: second, from: 'a', to: 'b' }, turn)).toBe(1);
    await sink.verifyLoad({ count: 2, sample: ['a', 'b'] });
    await expect(sink.verifyLoad({ count: 3, sample: [] })).rejects.toThrow(/2 of 3 records/);
    await expect(sink.verifyLoad({ count: 2, sample: ['c'] })).rejects.toThrow(/0 of 1 sampled/);
    await sink.switchLoad(load);
    expect(await t.names()).toEqual({ a: 'a2', b: 'b3' });
    expect(await sink.upsert(second, { watermark: null, turn })).toEqual({ added: 0, updated: 1 });
    await sink.close();
  });
});
