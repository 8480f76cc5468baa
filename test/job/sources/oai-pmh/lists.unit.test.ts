/** Source `oai-pmh` over a stand-in repository: lists, datestamps, sets, deletions, evidence. */
import { describe, expect, it } from 'vitest';
import { idsIn, openOai, recordsIn } from '../../../support/oai-pmh/open.ts';
import { startOaiProvider } from '../../../support/oai-pmh/provider.ts';
import { document, someRecords, titled } from '../../../support/oai-pmh/repository.ts';
import { describeSource, type SourcePlace } from '../../support/every-source.ts';
import { collect } from '../../support/fake-source.ts';

const ids = (count: number): string[] => someRecords(count).map(({ id }) => id);
const tokensAsked = (requests: readonly Record<string, string>[]) =>
  requests.filter(({ resumptionToken }) => resumptionToken !== undefined).length;

describeSource('a repository', async (): Promise<SourcePlace> => {
  const provider = await startOaiProvider();
  return {
    put: async (ids, changed) =>
      provider.put(...ids.map((id) => titled(id, `${changed.toISOString().slice(0, 19)}Z`))),
    remove: async (ids) => {
      for (const id of ids) provider.records.delete(id);
    },
    markDeleted: async (ids, at) => {
      const stamp = `${at.toISOString().slice(0, 19)}Z`;
      provider.put(...ids.map((id) => ({ ...titled(id, stamp), isDeleted: true })));
    },
    open: (stop) => openOai(provider, {}, { stop }),
    [Symbol.asyncDispose]: async () => await provider[Symbol.asyncDispose](),
  };
});

describe('a list of OAI-PMH', () => {
  it('comes in byte order, whatever the order of the repository, in batches of the requested size', async () => {
    await using provider = await startOaiProvider(...someRecords(95));
    const source = openOai(provider);
    expect(await source.survey(null)).toEqual({ total: 95 });
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(ids(95));
    expect(batches.map(({ records }) => records.length)).toEqual([...Array<number>(9).fill(10), 5]);
    expect(batches.at(-1)?.cursor).toEqual({ after: 'oai:x:0095', done: 95 });
    expect(await source.evidence()).toEqual({
      complete: true,
      words: '95 records and 0 deleted ones read (deletedRecord: persistent), as many as completeListSize',
    });
    // Survey and reading share one harvest.
    expect(provider.requests.map(({ verb }) => verb)).toEqual([
      'Identify',
      ...Array<string>(10).fill('ListRecords'),
    ]);
    expect(source.clock().earliest).toBeInstanceOf(Date);
    expect(source.shownAs).toBe(`${provider.url} oai_dc`);
  });

  it('is read on after a cursor', async () => {
    await using provider = await startOaiProvider(...someRecords(30));
    const batches = await collect(
      openOai(provider).changedSince(null, { after: 'oai:x:0012', done: 12 }, 10),
    );
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(ids(30).slice(12));
    expect(batches.at(-1)?.cursor).toEqual({ after: 'oai:x:0030', done: 30 });
  });

  it('of identifiers asks for headers alone', async () => {
    await using provider = await startOaiProvider(...someRecords(25));
    const source = openOai(provider);
    expect(await idsIn(source)).toEqual(ids(25));
    expect((await source.evidence()).complete).toBe(true);
    expect(provider.requests.at(-1)).toMatchObject({ verb: 'ListIdentifiers' });
  });

  it('that matches nothing is empty', async () => {
    await using provider = await startOaiProvider();
    const source = openOai(provider);
    expect(await source.survey(null)).toEqual({ total: 0 });
    expect(await recordsIn(source)).toEqual([]);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('that matches nothing may come with a status of its own', async () => {
    await using provider = await startOaiProvider();
    provider.lie = ({ verb }, _, usual) =>
      verb === 'Identify'
        ? undefined
        : new Response(usual, { status: 422, headers: { 'content-type': 'application/xml' } });
    expect(await recordsIn(openOai(provider))).toEqual([]);
  });

  it('of a set has the records of that set and of those below it', async () => {
    await using provider = await startOaiProvider(
      titled('a', '2025-06-01T12:00:00Z', 'a', ['maps']),
      titled('b', '2025-06-01T12:00:00Z', 'b', ['maps:town', 'all']),
      titled('c', '2025-06-01T12:00:00Z', 'c', ['mapsx']),
    );
    const source = openOai(provider, { OAI_SET: 'maps' });
    const records = await recordsIn(source);
    expect(records.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(records[1]?.record).toEqual({ title: ['b'], sets: ['all', 'maps:town'] });
    expect(source.shownAs).toBe(`${provider.url} oai_dc of set maps`);
  });

  it('may have a record on two pages: the later datestamp counts', async () => {
    await using provider = await startOaiProvider(...someRecords(25));
    provider.tellsSize = false;
    provider.bend = (listed) => {
      if (listed.page === 2) provider.put(titled('oai:x:0001', '2025-06-02T00:00:00Z', 'second'));
      const extra = provider.records.get('oai:x:0001');
      if (listed.page === 3 && extra) Object.assign(listed, { records: [...listed.records, extra] });
    };
    const records = await recordsIn(openOai(provider));
    expect(records).toHaveLength(25);
    expect(records[0]).toMatchObject({ updated_at: '2025-06-02T00:00:00Z', record: { title: ['second'] } });
  });

  it('begins again when its tokens expire, and then in smaller parts', async () => {
    const records = Array.from({ length: 64 }, (_, at) =>
      titled(`oai:x:${String(at + 1).padStart(4, '0')}`, new Date(Date.UTC(2025, 3, 1 + at)).toISOString()),
    ).map((record) => ({ ...record, stamp: `${record.stamp.slice(0, 19)}Z` }));
    await using provider = await startOaiProvider(...records);
    provider.pageSize = 5;
    provider.tokenLife = 3;
    const source = openOai(provider);
    expect((await recordsIn(source)).map(({ id }) => id)).toEqual(ids(64));
    expect((await source.evidence()).complete).toBe(true);
    expect(provider.requests.some(({ until }) => until !== undefined)).toBe(true);
    // A record that changes meanwhile moves to a part that is read later.
    const begins = provider.requests
      .filter(({ resumptionToken, verb }) => resumptionToken === undefined && verb === 'ListRecords')
      .map(({ from = '' }) => from);
    expect(begins).toEqual(begins.toSorted());
  });

  it('forgets what it has read when it begins again', async () => {
    await using provider = await startOaiProvider(...someRecords(40));
    let removed = '';
    provider.tokenLife = 2;
    provider.bend = ({ page, records }) => {
      if (page !== 2 || removed !== '') return;
      removed = records[0]?.id ?? '';
    };
    provider.lie = (_, count) => {
      if (count !== 4) return undefined;
      provider.records.delete(removed);
      provider.tokenLife = Infinity;
      return new Response(document('<error code="badResumptionToken"/>'));
    };
    const source = openOai(provider);
    expect((await recordsIn(source)).map(({ id }) => id)).toEqual(ids(40).filter((id) => id !== removed));
    expect((await source.evidence()).complete).toBe(true);
  });

  it('begins again once when a token has expired by chance', async () => {
    await using provider = await startOaiProvider(...someRecords(40));
    provider.tokenLife = 2;
    provider.lie = (_, count) => {
      if (count > 4) provider.tokenLife = Infinity;
      return undefined;
    };
    const source = openOai(provider);
    expect(await recordsIn(source)).toHaveLength(40);
    expect(provider.requests.some(({ until }) => until !== undefined)).toBe(false);
    expect(tokensAsked(provider.requests)).toBe(2 + 3);
  });

  it('whose tokens expire within one datestamp fails', async () => {
    await using provider = await startOaiProvider(...someRecords(40));
    provider.tokenLife = 2;
    await expect(openOai(provider).survey(null)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/expired 4 times .*badResumptionToken/) as string,
    });
  });
});

describe('deletions in a list of OAI-PMH', () => {
  it.each(['transient', 'persistent', 'no'] as const)(
    'count as missing where deletedRecord is %s',
    async (mode) => {
      await using provider = await startOaiProvider(...someRecords(30));
      provider.deletedRecord = mode;
      provider.put({ ...titled('oai:x:0003', '2025-07-01T00:00:00Z'), isDeleted: true });
      const source = openOai(provider);
      const left = ids(30).filter((id) => id !== 'oai:x:0003');
      expect(await source.survey(null)).toEqual({ total: 29 });
      expect((await recordsIn(source)).map(({ id }) => id)).toEqual(left);
      expect(await source.evidence()).toMatchObject({
        complete: true,
        words: expect.stringContaining(`29 records and ${mode === 'no' ? 0 : 1} deleted ones`) as string,
      });
      expect(await idsIn(source)).toEqual(left);
      expect(await recordsIn(source, new Date('2025-06-15T00:00:00Z'))).toEqual([]);
    },
  );

  it('are asked for again by id', async () => {
    await using provider = await startOaiProvider(
      ...someRecords(3),
      { ...titled('gone', '2025-07-01T00:00:00Z'), isDeleted: true },
      { id: 'other', stamp: '2025-07-01T00:00:00Z', formats: { marc: '<m/>' } },
    );
    const source = openOai(provider);
    const asked = ['gone', 'never', 'oai:x:0002', 'other'];
    expect(await source.stillThere(asked)).toEqual(new Set(['oai:x:0002']));
  });

  it('from a set alone count, where the repository tells sets', async () => {
    const stamp = '2025-06-01T12:00:00Z';
    await using provider = await startOaiProvider(
      titled('a', stamp, 'a', ['maps:town']),
      titled('b', stamp, 'b', ['prints', 'mapsx']),
    );
    const source = openOai(provider, { OAI_SET: 'maps' });
    expect(await source.stillThere(['b'])).toEqual(new Set(['b']));
    await idsIn(source);
    expect(await source.stillThere(['a', 'b'])).toEqual(new Set(['a']));
  });
});

describe('a list of changes', () => {
  it('heeds the clock of the repository behind that of its server', async () => {
    await using provider = await startOaiProvider(...someRecords(3));
    const behind = new Date(Date.now() - 3_600_000).toISOString().slice(0, 19);
    provider.lie = (_, __, usual) =>
      new Response(usual.replace(/<responseDate>[^<]*/, `<responseDate>${behind}Z`));
    const source = openOai(provider);
    await source.survey(null);
    expect(source.clock().earliest).toEqual(new Date(`${behind}Z`));
    expect(source.clock().skewMs).toBeLessThan(-3_590_000);
  });

  it.each([
    ['YYYY-MM-DDThh:mm:ssZ', '2025-07-01T10:20:30Z', 2],
    ['YYYY-MM-DD', '2025-07-01', 3],
  ] as const)('begins at the watermark in the granularity %s', async (granularity, from, count) => {
    await using provider = await startOaiProvider(
      titled('early', '2025-07-01T10:20:29Z'),
      titled('same', '2025-07-01T10:20:30Z'),
      titled('late', '2025-07-02T00:00:00Z'),
      titled('before', '2025-06-30T23:59:59Z'),
    );
    provider.granularity = granularity;
    const source = openOai(provider);
    const records = await recordsIn(source, new Date('2025-07-01T10:20:30.999Z'));
    expect(records).toHaveLength(count);
    expect(provider.requests.at(-1)).toMatchObject({ from, metadataPrefix: 'oai_dc' });
    expect(records.find(({ id }) => id === 'late')?.updated_at).toBe('2025-07-02T00:00:00Z');
  });

  it('leaves out a start before the first record', async () => {
    await using provider = await startOaiProvider(...someRecords(3));
    await recordsIn(openOai(provider), new Date('2024-12-31T00:00:00Z'));
    expect(provider.requests.at(-1)).not.toHaveProperty('from');
  });
});

describe('the evidence of a list', () => {
  it.each<
    [
      string,
      (listed: { page: number; size?: string | undefined; token?: string | undefined }) => void,
      string | null,
    ]
  >([
    ['needs no completeListSize', (listed) => (listed.size = undefined), null],
    [
      'lacks, where fewer entries come than completeListSize',
      (listed) => (listed.size = '26'),
      '25 entries, but completeListSize 26',
    ],
    [
      'lacks, where more entries come than completeListSize',
      (listed) => (listed.size = '10'),
      '25 entries, but completeListSize 10',
    ],
    [
      'lacks, where the sizes differ much',
      (listed) => (listed.size = String(listed.page * 15)),
      'from 15 to 45: these differ',
    ],
    ['may have a size that grows a little', (listed) => (listed.size = listed.page > 1 ? '26' : '25'), null],
    ['ignores a size that is no number', (listed) => (listed.size = '-1'), null],
    [
      'lacks, where the last page has no token and no size was told',
      (listed) => {
        listed.size = undefined;
        if (listed.token === '') listed.token = undefined;
      },
      'the last page has no resumptionToken',
    ],
    [
      'lacks, where a page is empty and no size was told',
      (listed) => {
        listed.size = undefined;
        if (listed.page === 2) Object.assign(listed, { records: [] });
      },
      'a page of the list is empty',
    ],
    [
      'lacks, where a page is empty',
      (listed) => void (listed.page === 2 && Object.assign(listed, { records: [] })),
      '15 entries, but completeListSize 25',
    ],
  ])('%s', async (_, bend, doubt) => {
    await using provider = await startOaiProvider(...someRecords(25));
    provider.bend = bend;
    const source = openOai(provider);
    await recordsIn(source);
    expect(await source.evidence()).toEqual({
      complete: doubt === null,
      words: expect.stringContaining(doubt ?? ' read ') as string,
    });
  });

  it('lacks, while a listing has not ended', async () => {
    await using provider = await startOaiProvider(...someRecords(25));
    const source = openOai(provider);
    for await (const _ of source.changedSince(null, null, 5)) break;
    expect(await source.evidence()).toMatchObject({ complete: false });
  });
});
