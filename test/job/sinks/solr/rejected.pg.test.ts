/**
 * A record that cannot be written is named, counts against MAX_REJECTED, and leaves the live document of its id
 * unchanged.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { ApplyPlan } from '../../../../src/job/sinks/sink.ts';
import { type Solr, startSolr } from '../../../support/solr/solr.ts';
import { type FakeRow, someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';

let solr: Solr;
beforeAll(async () => {
  solr = await startSolr();
}, 120_000);
afterAll(() => solr?.stop());

const HOUR_MS = 3_600_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
const now = (): string => ago(0);
const last = (t: SolrSetup) => t.receiver.reports.at(-1);

const BAD: [string, Record<string, unknown>, string][] = [
  [
    'an unknown field',
    { bogus: 'precious' },
    "Solr knows no field 'bogus'; add it to the schema or remove it in the source",
  ],
  [
    'a text for a number',
    { pages: 'precious' },
    "Solr refuses the value of the field 'pages'; check the field's type in the schema",
  ],
  [
    'several values for one',
    { pages: [1, 2] },
    "the field 'pages' accepts one value, but the record has several",
  ],
  [
    'a term that is too long',
    { name_s: 'precious'.repeat(5_000) },
    "the value of the field 'name_s' is longer than Solr can index as one term (32,766 bytes)",
  ],
  [
    'two values for one field',
    { maker: { name: 'precious' }, maker_s: 'x' },
    'it has two values for the field maker_s; rename one in the source',
  ],
];

describe('a record that cannot be written to Solr', () => {
  it.each(BAD)('ends the sync with its id and the reason: %s', async (_, bad, why) => {
    await using t = await solrSetup(solr, someRows(5));
    await t.run('sync');
    t.source.put({ id: 'r00003', updated_at: now(), ...bad });
    const ended = await t.run('sync -n 3');
    expect(ended.code).toBe(EXIT.recordsRejected);
    expect(last(t)?.message).toBe(
      `1 bad record, and MAX_REJECTED allows 0; nothing was changed. Solr (id "r00003"): ${why}`,
    );
    expect(last(t)?.failed_items).toEqual([{ id: 'r00003', why: `Solr: ${why}` }]);
    expect(ended.output + JSON.stringify(t.receiver.reports)).not.toContain('precious');
    expect(await t.aliases()).toEqual({ primary: 'b', standby: 'a', loading: null });
    expect(await t.names()).toEqual(namesOf(someRows(5)));
  });

  it('is set aside by a sync, which copies the live document of its id completely', async () => {
    const old: FakeRow = {
      id: 'r00003, "x"',
      updated_at: '2025-06-01T10:00:00.123Z',
      name: 'tab\tquote"é😀',
      subjects: ['z', 'a', 'z'],
      pages: 12,
      lent: false,
      weight: 7,
      maker: { name: 'n', born: [1900] },
    };
    await using t = await solrSetup(solr, [...someRows(4), old], { shards: 2 });
    await t.run('sync');
    const before = (await solr.documents(t.app)).find(({ id }) => id === old.id);
    expect(before).toMatchObject({ weights: [7], subjects: ['z', 'a', 'z'] });
    t.source.put({ id: old.id, updated_at: now(), bogus: 1 });
    t.source.put({ id: 'never-live', updated_at: now(), bogus: 1 });
    t.source.put({ id: 'r00001', updated_at: now(), name: 'changed' });
    expect((await t.run('sync -n 2 -c 2', { MAX_REJECTED: '2' })).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ phase: 'done', added: 0, updated: 1, deleted: 0, failed: 2 });
    expect(
      last(t)
        ?.failed_items?.map(({ id }) => id)
        .toSorted(),
    ).toEqual(['never-live', old.id]);
    const { _version_: _, ...after } = (await solr.documents(t.app)).find(({ id }) => id === old.id) ?? {
      id: '',
    };
    expect({ ...after, _version_: before?.['_version_'] }).toEqual(before);
    expect(await t.names()).toMatchObject({ r00001: 'changed' });
    expect(Object.keys(await t.names())).toHaveLength(5);
  });

  it('and that the source sets aside keeps the live document of its id too', async () => {
    await using t = await solrSetup(solr, someRows(5));
    await t.run('sync');
    const bad = { id: 'r00003', updated_at: 'no time' };
    t.source.bend = ({ query, rows }) => {
      if (query['fields'] === 'id') return undefined;
      const body = rows.map((row) => `${JSON.stringify(row.id === bad.id ? bad : row)}\n`).join('');
      return new Response(body, { headers: { 'x-total-count': '5', 'content-length': String(body.length) } });
    };
    expect((await t.run('sync')).code).toBe(EXIT.recordsRejected);
    expect((await t.run('sync', { MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0, failed: 1 });
    expect(await t.names()).toEqual(namesOf(someRows(5)));
    expect((await t.aliases()).primary).toBe('a');
  });

  it('ends the sync if the live document could not be copied completely', async () => {
    const hidden = {
      id: 'r00003',
      updated_at: '2025-01-01T00:00:00Z',
      name: 'row 3',
      keywords: 'in the index alone',
    };
    await using t = await solrSetup(solr, [...someRows(4), hidden]);
    await t.run('sync');
    t.source.put({ id: 'r00003', updated_at: now(), bogus: 1 });
    expect((await t.run('sync', { MAX_REJECTED: '9' })).code).toBe(EXIT.recordsRejected);
    expect(last(t)?.message).toMatch(
      /^1 bad record cannot be set aside, because .* \("r00003"\): the fields keywords of catalogue\d+ are indexed but not stored; set stored="true"/,
    );
    expect((await t.aliases()).primary).toBe('b');
    const found = await solr.call(`${t.app}/select?q=keywords:alone`);
    expect(found).toMatchObject({ response: { numFound: 1 } });
  });

  it('is set aside by a delta, which reads it again until it is corrected', async () => {
    await using t = await solrSetup(solr, someRows(5));
    await t.run('sync');
    await t.setState((state) => {
      for (const one of Object.values(state['generations'] as Record<string, { watermark: string }>))
        one.watermark = ago(2 * HOUR_MS);
      return state;
    });
    const at = ago(HOUR_MS);
    t.source.put(
      { id: 'r00002', updated_at: at, bogus: 'precious' },
      { id: 'r00004', updated_at: at, name: 'good' },
    );
    const none = { WATERMARK_MARGIN: '0s' };
    expect((await t.run('delta -n 1', none)).code).toBe(EXIT.recordsRejected);
    expect(last(t)?.message).toContain(
      '1 bad record, and MAX_REJECTED allows 0; a delta into Solr writes while it reads',
    );
    expect((await t.run('delta', { ...none, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ failed: 1, failed_items: [{ id: 'r00002' }] });
    expect(await t.names()).toMatchObject({ r00002: 'row 2', r00004: 'good' });
    t.source.put({ id: 'r00002', updated_at: at, name: 'mended' });
    expect((await t.run('delta', none)).code).toBe(EXIT.ok);
    expect(await t.names()).toMatchObject({ r00002: 'mended' });
    expect((await t.run('delta', none)).code).toBe(EXIT.ok);
    expect(last(t)).toMatchObject({ records_done: 0 });
  });

  it('is still counted by the attempt that resumes the load', async () => {
    await using t = await solrSetup(solr);
    const record = (id: string, more = {}) => ({ id, updated_at: '2025-01-01T00:00:00.000Z', record: more });
    const begin = { mode: 'everything', since: null, began: new Date() } as const;
    const first = t.sink({ jobId: 1 });
    await first.open();
    const load = await first.beginLoad({ ...begin, resume: null });
    const bad = Array.from({ length: 300 }, (_, nth) => record(`b${1000 + nth}`, { bogus: nth }));
    await first.loadBatch(load, { records: bad, listed: [], from: null, to: 'b1299' }, Promise.resolve());
    const second = t.sink({ jobId: 1, attempt: 2 });
    expect(await second.open()).toBeNull();
    const again = await second.beginLoad({ ...begin, began: new Date(0), resume: load.id });
    expect(again).toMatchObject({ cursor: 'b1299', done: 300, resumed: true, began: load.began });
    const good = { records: [record('é😀')], listed: [], from: 'b1299', to: 'é😀' };
    await second.loadBatch(again, good, Promise.resolve());
    const plan: ApplyPlan = {
      mayRemove: true,
      force: false,
      answered: null,
      judge: () => 'apply',
      mayReject: 299,
      watermark: null,
      coarseTimes: true,
      proven: true,
    };
    await expect(second.apply(again, plan)).rejects.toMatchObject({ code: 'recordsRejected' });
    const result = await second.apply(again, { ...plan, mayReject: 300 });
    expect(result).toMatchObject({ kind: 'applied', applied: { listed: 301, added: 1 } });
    // A later attempt reports all of them again.
    const third = t.sink({ jobId: 1, attempt: 3 });
    expect((await third.open())?.rejected).toHaveLength(300);
    expect(await third.live()).toEqual({
      synced: true,
      empty: false,
      watermark: null,
      coarseTimes: true,
      proven: true,
    });
  });
});
