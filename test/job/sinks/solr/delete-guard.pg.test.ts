/** No record is removed without a listing that is proven complete, and ids to remove are re-checked first. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { EvenSample } from '../../../../src/job/sinks/generations/even-sample.ts';
import type { ApplyPlan, LoadMode, Sink } from '../../../../src/job/sinks/sink.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { lines, someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-losses-'));
let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(async () => {
  await solr?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const last = (t: SolrSetup) => t.receiver.reports.at(-1);

/** A file without evidence that it is complete. */
function fileOf(count: number): Record<string, string> {
  const file = path.join(folder, `${count}.ndjson`);
  writeFileSync(file, lines(someRows(count)));
  const minuteAgo = new Date(Date.now() - 60_000);
  utimesSync(file, minuteAgo, minuteAgo);
  return { SOURCE_URL: '', SOURCE_FILE: file };
}

describe('an unproven listing in Solr', () => {
  it('is not switched to if a record would be lost, and is switched to otherwise', async () => {
    await using t = await solrSetup(solr);
    expect((await t.run('sync', fileOf(20))).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ listing: 'unproven', watermark: null });
    const before = [await t.names(), await t.aliases()];
    for (const options of ['sync', 'sync --force-delete']) {
      expect((await t.run(options, fileOf(19))).code).toBe(EXIT.incompleteListing);
      expect(last(t)?.message).toMatch(
        /^nothing was changed: 1 live records are missing in the listing, .* \("r00020"\)\. A switch would lose them/,
      );
      expect([await t.names(), await t.aliases()]).toEqual(before);
    }
    expect((await t.run('sync', fileOf(21))).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 1, deleted: 0 });
    expect(await t.names()).toEqual(namesOf(someRows(21)));
  });

  it('suffices for a delta, which compares everything, and for a diff, which then removes nothing', async () => {
    await using t = await solrSetup(solr);
    await t.run('sync', fileOf(20));
    t.source.put(...someRows(22));
    expect((await t.run('delta', fileOf(22))).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 2, updated: 0, records_done: 22, watermark: null });
    expect((await t.run('delete', fileOf(21))).code).toBe(EXIT.incompleteListing);
    expect((await t.run('delete', { ...fileOf(21), SYNCRATOR_PART_OF: 'diff' })).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ deleted: 0, kept: 1 });
    expect(await t.names()).toEqual(namesOf(someRows(22)));
  });
});

const PLAN: ApplyPlan = {
  mayRemove: true,
  force: false,
  answered: null,
  judge: () => 'apply',
  mayReject: 0,
  watermark: new Date('2025-03-01T00:00:00Z'),
  coarseTimes: false,
  proven: true,
};

/** Loads `count` rows, or their ids. */
async function loaded(sink: Sink, mode: LoadMode, count: number, updated_at = '2025-01-01T00:00:00.000Z') {
  await sink.open();
  const load = await sink.beginLoad({ mode, since: null, began: new Date(), resume: null });
  const records = someRows(count, updated_at).map(({ id, name }) => ({ id, updated_at, record: { name } }));
  const content =
    mode === 'ids' ? { records: [], listed: records.map(({ id }) => id) } : { records, listed: [] };
  await sink.loadBatch(load, { ...content, from: null, to: 'end' }, Promise.resolve());
  return load;
}

describe('records to remove from Solr', () => {
  it('are re-checked first, and the switch is refused if the source still has them', async () => {
    await using t = await solrSetup(solr);
    const first = t.sink();
    await first.apply(await loaded(first, 'everything', 20), PLAN);
    const sink = t.sink();
    const load = await loaded(sink, 'everything', 17);
    expect(await sink.apply(load, PLAN)).toEqual({ kind: 'ask', ids: ['r00018', 'r00019', 'r00020'] });
    await expect(sink.apply(load, { ...PLAN, answered: new Set(['r00019']) })).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(/1 live records .* \("r00019"\)/) as string,
    });
    expect(await t.names()).toEqual(namesOf(someRows(20)));
    // Where the removals wait, so does what answers: nothing is lost.
    const holding = await sink.apply(load, { ...PLAN, answered: new Set(['r00019']), judge: () => 'hold' });
    expect(holding).toMatchObject({ kind: 'applied', applied: { removed: 0, kept: { held: 3 } } });
    expect(await t.names()).toEqual(namesOf(someRows(20)));
  });

  it('are counted for the judge, and removed', async () => {
    await using t = await solrSetup(solr);
    const first = t.sink();
    await first.apply(await loaded(first, 'everything', 20), PLAN);
    const sink = t.sink();
    const load = await loaded(sink, 'everything', 17);
    const judged: unknown[] = [];
    const result = await sink.apply(load, {
      ...PLAN,
      answered: new Set(),
      judge: (it) => {
        judged.push(it);
        return 'apply';
      },
    });
    const difference = { live: 20, listed: 17, added: 0, updated: 0, removed: 3, kept: {} };
    expect(result).toMatchObject({ kind: 'applied', applied: difference });
    const measured = { bytes: expect.any(Number) as number, seconds: expect.any(Number) as number };
    expect(judged).toEqual([{ ...difference, missed: { count: 0, latestMs: 0 }, ...measured }]);
    expect(await t.names()).toEqual(namesOf(someRows(17)));
  });

  it('stay if the source still has them, and are removed otherwise, by a delete', async () => {
    await using t = await solrSetup(solr);
    const first = t.sink();
    await first.apply(await loaded(first, 'everything', 20), PLAN);
    const sink = t.sink({ action: 'delete' });
    const load = await loaded(sink, 'ids', 17);
    expect(await sink.apply(load, PLAN)).toEqual({ kind: 'ask', ids: ['r00018', 'r00019', 'r00020'] });
    expect(await t.names()).toEqual(namesOf(someRows(20)));
    const result = await sink.apply(load, { ...PLAN, answered: new Set(['r00019']) });
    expect(result).toMatchObject({ kind: 'applied', applied: { removed: 2, kept: { answered: 1 } } });
    expect(await t.names()).toEqual(namesOf([...someRows(17), ...someRows(19).slice(18)]));
  });

  it('are sampled evenly if there are too many to re-check', () => {
    const sample = new EvenSample(1_000);
    for (let nth = 0; nth < 1_000; nth += 1) sample.offer(String(nth));
    expect(sample.ids).toHaveLength(1_000);
    for (let nth = 1_000; nth < 123_456; nth += 1) sample.offer(String(nth));
    const chosen = sample.ids.map(Number);
    const steps = new Set(chosen.slice(1).map((id, nth) => id - (chosen[nth] ?? 0)));
    expect([sample.count, chosen.length > 500, chosen.length <= 1_000]).toEqual([123_456, true, true]);
    expect([...steps]).toEqual([128]);
    expect(chosen.at(-1)).toBeGreaterThan(123_456 - 129);
  });
});

it('a sync into Solr counts the changes that a delta had to miss', async () => {
  await using t = await solrSetup(solr);
  const first = t.sink();
  await first.apply(await loaded(first, 'everything', 5), PLAN);
  const sink = t.sink();
  const load = await loaded(sink, 'everything', 6, '2025-02-28T21:00:00.000Z');
  const result = await sink.apply(load, PLAN);
  const missed = { count: 6, latestMs: 3 * 3_600_000 };
  expect(result).toMatchObject({ kind: 'applied', applied: { added: 1, updated: 5, missed } });
});
