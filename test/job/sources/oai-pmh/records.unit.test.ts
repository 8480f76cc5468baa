/** How source `oai-pmh` writes metadata as JSON. */
import { describe, expect, it } from 'vitest';
import { idsIn, openOai, recordsIn } from '../../../support/oai-pmh/open.ts';
import { startOaiProvider } from '../../../support/oai-pmh/provider.ts';
import { dublinCore, type OaiRecord, someRecords, titled } from '../../../support/oai-pmh/repository.ts';
import { collect } from '../../support/fake-source.ts';

const STAMP = '2025-06-01T12:00:00Z';

async function jsonOf(metadata: string, prefix = 'other'): Promise<unknown> {
  await using provider = await startOaiProvider({ id: 'a', stamp: STAMP, formats: { [prefix]: metadata } });
  const [record] = await recordsIn(openOai(provider, { OAI_PREFIX: prefix }));
  expect(record).toMatchObject({ id: 'a', updated_at: STAMP });
  return record?.record;
}

/** The records, and those that were set aside. */
async function readAll(...records: OaiRecord[]) {
  await using provider = await startOaiProvider(...records);
  const source = openOai(provider);
  const batches = await collect(source.changedSince(null, null, 10));
  return {
    ids: batches.flatMap((batch) => batch.records.map(({ id }) => id)),
    rejected: batches.flatMap(({ rejected }) => rejected),
    evidence: await source.evidence(),
  };
}

const nested = (depth: number): string => `${'<e>'.repeat(depth)}x${'</e>'.repeat(depth)}`;

describe('Dublin Core', () => {
  it('becomes lists of texts by element, in the order of the document', async () => {
    const fields = `
      <dc:title xml:lang="de">Karte &amp; Plan</dc:title><dc:title>A <b xmlns="urn:x">map</b></dc:title>
      <dc:creator>Ä. Ŏ 😀 &#x4e2d;</dc:creator><dc:subject/><dc:subject>  </dc:subject>
      <dc:description><![CDATA[a < b]]></dc:description><dc:identifier>doi:1</dc:identifier>
      <dc:id>row</dc:id><dc:sets>mine</dc:sets>`;
    expect(await jsonOf(dublinCore(fields), 'oai_dc')).toEqual({
      title: ['Karte & Plan', 'A map'],
      creator: ['Ä. Ŏ 😀 中'],
      description: ['a < b'],
      identifier: ['doi:1'],
      id_: ['row'],
      sets_: ['mine'],
    });
  });

  it('is recognised by its namespace, whatever its prefixes', async () => {
    const metadata = `<dc xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/"><title xmlns="http://purl.org/dc/elements/1.1/">x</title></dc>`;
    expect(await jsonOf(metadata, 'oai_dc')).toEqual({ title: ['x'] });
  });
});

describe('another schema', () => {
  it('becomes a tree: texts, attributes with @, children in lists', async () => {
    const marc = `<marc:record xmlns:marc="http://www.loc.gov/MARC21/slim" type="Bibliographic">
      <marc:leader>00000nam</marc:leader>
      <marc:datafield tag="245" ind1="1"><marc:subfield code="a">Title</marc:subfield><marc:subfield code="b"/></marc:datafield>
      <marc:datafield tag="650"><marc:subfield code="a">Maps</marc:subfield></marc:datafield>
    </marc:record>`;
    expect(await jsonOf(marc)).toEqual({
      metadata: {
        '@type': 'Bibliographic',
        leader: ['00000nam'],
        datafield: [
          { '@tag': '245', '@ind1': '1', subfield: [{ '@code': 'a', '#text': 'Title' }, { '@code': 'b' }] },
          { '@tag': '650', subfield: [{ '@code': 'a', '#text': 'Maps' }] },
        ],
      },
    });
  });

  it('keeps mixed text, two attributes of one name, and names that JavaScript knows', async () => {
    const metadata = `<a xmlns="urn:a" xmlns:x="urn:x" x:type="one" type="two" xml:lang="de">
      before <b/> after <x:b>1</x:b><__proto__>2</__proto__><constructor>3</constructor></a>`;
    const record = (await jsonOf(metadata)) as { metadata: object };
    expect(JSON.stringify(record)).toBe(
      JSON.stringify({
        metadata: JSON.parse(
          '{"@type":"two","@x:type":"one","@lang":"de","b":["","1"],"__proto__":["2"],"constructor":["3"],"#text":"before  after"}',
        ) as object,
      }),
    );
  });

  it('may be a single text', async () => {
    expect(await jsonOf('<note xmlns="urn:n">hello</note>')).toEqual({ metadata: 'hello' });
  });
});

describe('a record that cannot be stored', () => {
  it.each([
    [
      'a character that XML forbids',
      dublinCore('<dc:title>a\u0001b</dc:title>'),
      'it has a character that XML forbids',
    ],
    [
      'an unknown entity',
      dublinCore('<dc:title>a&nbsp;b</dc:title>'),
      'it has an entity that XML does not know',
    ],
    ['too many levels', nested(120), 'it is nested more than 100 levels deep'],
    ['too many levels of JSON', nested(80), 'flatten it to at most 100'],
    [
      'too long a text',
      dublinCore(`<dc:title>${'x'.repeat(17_000_000)}</dc:title>`),
      'it is longer than 16 MiB',
    ],
    ['too many elements', `<e xmlns="urn:e">${'<e/>'.repeat(600_000)}</e>`, 'it is longer than 16 MiB'],
    ['no metadata', '', 'it has no metadata'],
  ])('is set aside with its id: %s', async (_, metadata, why) => {
    const { ids, rejected, evidence } = await readAll(
      titled('a', STAMP),
      { id: 'b', stamp: STAMP, formats: { oai_dc: metadata } },
      titled('c', STAMP),
    );
    expect(ids).toEqual(['a', 'c']);
    expect(rejected).toEqual([
      { id: 'b', where: 'the record "b" on page 1', why: expect.stringContaining(why) as string },
    ]);
    expect(evidence.complete).toBe(true);
  });

  it('is set aside where its datestamp is no time', async () => {
    const { rejected } = await readAll(titled('a', '2025-13-01T00:00:00Z'));
    expect(rejected).toMatchObject([{ id: 'a', why: expect.stringContaining('not a valid time') as string }]);
  });

  it.each([
    ['has no header', (record: string) => record.replace(/<header.*<\/header>/, '')],
    ['has a broken header', (record: string) => record.replace('oai:x:0002', 'oai:x:\u00010002')],
  ])('makes each listing incomplete where it %s', async (_, spoiled) => {
    await using provider = await startOaiProvider(...someRecords(1), titled('oai:x:0002', STAMP));
    provider.lie = ({ verb }, __, usual) => {
      const body = usual.replace(/<record><header><identifier>oai:x:0002.*<\/record>/, spoiled);
      const only = body === usual ? usual.replace('oai:x:0002', 'oai:x:\u00010002') : body;
      const headers = { 'content-type': 'text/xml' };
      return verb === 'Identify' ? undefined : new Response(only, { headers });
    };
    const source = openOai(provider);
    expect((await recordsIn(source)).map(({ id }) => id)).toEqual(['oai:x:0001']);
    expect((await source.evidence()).complete).toBe(false);
    expect(await idsIn(source)).toEqual(['oai:x:0001']);
    expect((await source.evidence()).complete).toBe(false);
  });

  it('makes the list incomplete where its id cannot be read', async () => {
    const { ids, rejected, evidence } = await readAll(
      titled('', STAMP),
      titled('x'.repeat(1001), STAMP),
      titled('c', STAMP),
    );
    expect(ids).toEqual(['c']);
    expect(rejected).toMatchObject([
      { id: null, where: 'a record without an identifier on page 1' },
      { id: null, why: expect.stringContaining('more than 1,000 bytes') as string },
    ]);
    expect(evidence).toMatchObject({
      complete: false,
      words: expect.stringContaining('cannot be read') as string,
    });
  });
});
