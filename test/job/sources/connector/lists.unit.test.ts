/** Source `connector` over a stand-in that speaks both protocols. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { byBytes, describeSource, ODD_IDS, type SourcePlace } from '../../support/every-source.ts';
import { idsIn, recordsIn } from '../sql/support/database.ts';
import { drop, open, settingsOf } from './support/open.ts';

function placeOf(more: Record<string, string>): () => Promise<SourcePlace> {
  return async () => {
    const times = new Map<string, string>();
    const folder = drop();
    const write = () => folder.records([...times].map(([id, changed]) => ({ id, changed })));
    const settings = settingsOf(write(), { SOURCE_UPDATED_AT: 'changed', ...more });
    return await Promise.resolve({
      put: async (ids, changed) => {
        for (const id of ids) times.set(id, changed.toISOString());
        write();
      },
      remove: async (ids) => {
        for (const id of ids) times.delete(id);
        write();
      },
      open: (stop) => open(settings, { stop }),
      [Symbol.asyncDispose]: async () => {},
    });
  };
}

describeSource('a stream of an Airbyte connector', placeOf({}));
describeSource(
  'a stream of a Singer tap',
  placeOf({
    CONNECTOR_PROTOCOL: 'singer',
    CONNECTOR_STREAM: 'public-places',
    CONNECTOR_EXIT_COMPLETE: 'true',
  }),
);

describe('the records of a connector', () => {
  it('come with all their fields, and numbers with all their digits', async () => {
    const source = open(
      settingsOf({ ...drop().records([{ id: 7, nested: { list: [1, null, 'ä'] } }]), fault: 'digits' }),
    );
    const records = await recordsIn(source);
    expect(JSON.stringify(records.map(({ id, record }) => [id, record]))).toBe(
      '[["12345678901234567890",{"price":1.10}],["7",{"nested":{"list":[1,null,"ä"]}}]]',
    );
    expect(source.stamps).toBe(true);
  });

  it('have the id of SOURCE_ID instead of their primary key, also of several fields', async () => {
    const rows = [
      { id: 1, country: 'de', code: 'a|b' },
      { id: 2, country: 'at', code: 10 },
    ];
    const source = open(settingsOf(drop().records(rows), { SOURCE_ID: 'country,code' }));
    const records = await recordsIn(source);
    expect(records.map(({ id, record }) => [id, record['id_']])).toEqual([
      ['at|10', 2],
      ['de|a%7Cb', 1],
    ]);
  });

  it('keep a field updated_at under another name, unless SOURCE_UPDATED_AT names it', async () => {
    const config = drop().records([{ id: 'a', updated_at: '2026-11-01T10:00:00+01:00' }]);
    const [stamped] = await recordsIn(open(settingsOf(config)));
    expect(stamped?.record).toEqual({ updated_at_: '2026-11-01T10:00:00+01:00' });
    const [told] = await recordsIn(open(settingsOf(config, { SOURCE_UPDATED_AT: 'updated_at' })));
    expect(told).toMatchObject({ updated_at: '2026-11-01T09:00:00Z', record: {} });
  });

  it('count once if an id comes again: the later one, with a remark', async () => {
    const source = open(
      settingsOf(
        drop().records([
          { id: 'a', nth: 1 },
          { id: 'b', nth: 2 },
          { id: 'a', nth: 3 },
        ]),
      ),
    );
    expect(await source.survey(null)).toEqual({ total: 2 });
    expect((await recordsIn(source)).map(({ id, record }) => [id, record['nth']])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(source.remarks?.()).toEqual([
      expect.stringContaining('1 of 3 records have the id of an earlier one'),
    ]);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('without an id make the listing incomplete', async () => {
    const source = open(settingsOf(drop().records([{ id: 'a' }, { id: null }, { name: 'none' }])));
    expect(await idsIn(source)).toEqual(['a']);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringContaining('record 2 of places'),
    });
  });

  it('are read in one command, after one check and one discover', async () => {
    const folder = drop();
    const source = open(settingsOf({ ...folder.records([{ id: 'a' }]), tell: folder.path('told') }));
    await source.survey(null);
    await recordsIn(source);
    const verbs = readFileSync(folder.path('told'), 'utf8').trim().split('\n');
    const [first, second, ...more] = verbs.map((line) => (JSON.parse(line) as { verb: string }).verb);
    expect(new Set([first, second])).toEqual(new Set(['check', 'discover']));
    expect(more).toEqual(['read']);
  });
});

describe('a Singer tap', () => {
  const SINGER = { CONNECTOR_PROTOCOL: 'singer', CONNECTOR_STREAM: 'public-places' };

  it('lists everything, but proves nothing unless its exit code counts', async () => {
    const config = drop().records(ODD_IDS.map((id) => ({ id })));
    const source = open(settingsOf(config, SINGER));
    expect(await idsIn(source)).toEqual(byBytes(ODD_IDS));
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringContaining('CONNECTOR_EXIT_COMPLETE=true'),
    });
    const believed = open(settingsOf(config, { ...SINGER, CONNECTOR_EXIT_COMPLETE: 'true' }));
    await idsIn(believed);
    expect((await believed.evidence()).complete).toBe(true);
  });

  it.each([
    ['exit 1', 'ended with exit code 1'],
    ['nothing', 'has written nothing of this stream'],
    ['batch', 'hands out records as files'],
  ])('with the fault "%s" gives no listing', async (fault, words) => {
    const config = { ...drop().records([{ id: 'a' }]), fault };
    const source = open(settingsOf(config, { ...SINGER, CONNECTOR_EXIT_COMPLETE: 'true' }));
    await expect(idsIn(source)).rejects.toThrow(words);
    await expect(idsIn(source)).rejects.toMatchObject({ code: 'incompleteListing' });
  });
});
