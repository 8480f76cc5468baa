/** Repositories that break the protocol, or that are not well: what source `oai-pmh` makes of them. */
import { describe, expect, it } from 'vitest';
import { idsIn, openOai, recordsIn } from '../../../support/oai-pmh/open.ts';
import { type OaiProvider, startOaiProvider } from '../../../support/oai-pmh/provider.ts';
import { document, someRecords } from '../../../support/oai-pmh/repository.ts';

type Lie = NonNullable<OaiProvider['lie']>;

const xml = (text: string | Uint8Array<ArrayBuffer>, status = 200): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/xml' } });
const busy = (status: number, headers: Record<string, string>): Response =>
  new Response('busy', { status, headers });
/** The lie instead of one page of a list, or of each. */
const onPage =
  (page: number | 'each', answer: (usual: string) => Response): Lie =>
  ({ verb }, count, usual) =>
    verb !== 'Identify' && (page === 'each' || count === page + 1) ? answer(usual) : undefined;

const BOMB = `<?xml version="1.0"?><!DOCTYPE OAI-PMH [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>&c;</ListRecords></OAI-PMH>`;

describe('a repository that is not well for a while', () => {
  it.each<[string, Lie]>([
    ['a page that is cut off', onPage(2, (usual) => xml(usual.slice(0, usual.length / 2)))],
    [
      'a page that is cut off within a character',
      onPage(2, () => xml(Buffer.from(`${document('').slice(0, 300)}ä`).subarray(0, -1))),
    ],
    ['503 with Retry-After', onPage(2, () => busy(503, { 'retry-after': '0' }))],
    [
      '503 with a date as Retry-After',
      onPage(1, () => busy(503, { 'retry-after': new Date(0).toUTCString() })),
    ],
    ['429', onPage(3, () => busy(429, { 'retry-after': '0' }))],
    ['500', onPage(3, () => busy(500, {}))],
  ])('is asked again for the same page after %s', async (_, lie) => {
    await using provider = await startOaiProvider(...someRecords(35));
    provider.lie = lie;
    const source = openOai(provider);
    expect(await recordsIn(source)).toHaveLength(35);
    expect((await source.evidence()).complete).toBe(true);
    expect(provider.requests).toHaveLength(6);
  });

  it('that asks for a longer wait than five minutes ends the run', async () => {
    await using provider = await startOaiProvider(...someRecords(5));
    provider.lie = () => busy(503, { 'retry-after': '301' });
    await expect(openOai(provider).survey(null)).rejects.toThrow(
      /answered 503, and asks for a wait of 301 s/,
    );
  });

  it('says what it waits for', async () => {
    await using provider = await startOaiProvider(...someRecords(5));
    provider.lie = onPage(1, () => busy(503, { 'retry-after': '0' }));
    const waits: (string | null)[] = [];
    await openOai(provider, {}, { onWait: (words) => waits.push(words) }).survey(null);
    expect(waits).toEqual([expect.stringMatching(/^the source: .* answered 503; retrying in 0 s$/), null]);
  });
});

describe('an answer that is not OAI-PMH', () => {
  it.each<[string, () => Response, RegExp, string?]>([
    [
      'a page of HTML',
      () => new Response('<!DOCTYPE html><p>hi', { headers: { 'content-type': 'text/html' } }),
      /answers a web page instead of records/,
    ],
    [
      'HTML that says that it is XML',
      () => xml('<!DOCTYPE html><html><p>hi</html>'),
      /answers a web page instead of records/,
    ],
    [
      'XHTML',
      () => xml('<html xmlns="http://www.w3.org/1999/xhtml"><p/></html>'),
      /answers a web page instead of records/,
    ],
    ['a bomb of entities', () => xml(BOMB), /sends XML with a DTD, which is refused/],
    [
      'a DTD elsewhere',
      () => xml('<!DOCTYPE OAI-PMH SYSTEM "http://127.0.0.1:9/x.dtd"><OAI-PMH/>'),
      /a DTD, which is refused/,
    ],
    ['XML of another kind', () => xml('<rss version="2.0"/>'), /its root is rss without a namespace/],
    ['JSON', () => xml('{"error": "down"}'), /not well-formed: 1:1/],
    [
      'Latin-1',
      () => xml('<?xml version="1.0" encoding="ISO-8859-1"?><OAI-PMH/>'),
      /sends XML in ISO-8859-1/,
    ],
    ['bytes that are not UTF-8', () => xml(Buffer.from('<OAI-PMH>\xe4</OAI-PMH>', 'latin1')), /not UTF-8/],
    [
      'tags that do not match',
      () => xml(document('<ListRecords><record></ListRecords>')),
      /not well-formed: .*unexpected close tag|unmatched closing tag/,
    ],
    ['another verb', () => xml(document('<ListSets/>')), /answers ListSets instead of ListRecords/],
    ['nothing', () => xml(document('')), /answers neither records nor an error/],
    ['204', () => new Response(null, { status: 204 }), /answered 204: only 200 marks a complete page/],
    ['404', () => new Response('no', { status: 404 }), /answered 404/],
    ['404 with other XML', () => xml('<html/>', 404), /answered 404/],
    ['401', () => new Response('no', { status: 401 }), /refuses our credentials/, 'sourceUnauthorized'],
  ])('ends the run: %s', async (_, answer, words, code = 'failed') => {
    await using provider = await startOaiProvider(...someRecords(5));
    provider.lie = onPage('each', answer);
    await expect(recordsIn(openOai(provider))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words) as string,
    });
  });

  it('ends the run, even within a page, and lists nothing', async () => {
    await using provider = await startOaiProvider(...someRecords(35));
    provider.lie = onPage(3, (usual) => xml(usual.replace('</header>', '</heading>')));
    await expect(idsIn(openOai(provider))).rejects.toThrow(/not well-formed/);
  });
});

describe('an error of OAI-PMH', () => {
  it.each([
    [
      'cannotDisseminateFormat',
      { OAI_PREFIX: 'lido' },
      'notConfigured',
      /cannotDisseminateFormat: no such format; set OAI_PREFIX/,
    ],
    [
      'noSetHierarchy',
      { OAI_SET: 'maps' },
      'notConfigured',
      /noSetHierarchy: no sets here; .*leave OAI_SET out/,
    ],
  ])('fails with its code and words: %s', async (_, settings, code, words) => {
    await using provider = await startOaiProvider(...someRecords(5));
    provider.hasSets = false;
    await expect(openOai(provider, settings).survey(null)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words) as string,
    });
  });

  it.each(['badArgument', 'badVerb', 'badResumptionToken', 'somethingNew'])(
    'fails with its code and words: %s in the first answer',
    async (error) => {
      await using provider = await startOaiProvider(...someRecords(5));
      provider.lie = onPage('each', () =>
        xml(document(`<error code="${error}">for <b>some</b>\n reason</error>`)),
      );
      await expect(openOai(provider).survey(null)).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringContaining(`answers the error ${error}: for`) as string,
      });
    },
  );

  it('that quotes the request is told without the parameters of SOURCE_URL', async () => {
    await using provider = await startOaiProvider(...someRecords(3));
    provider.lie = () => xml(document('<error code="badArgument">?key=hush%2Fhush is not hush/hush</error>'));
    const survey = openOai({ url: `${provider.url}?key=hush%2Fhush&v=2` }).survey(null);
    await expect(survey).rejects.toThrow('badArgument: ?key=<FILTERED> is not <FILTERED>; check OAI_PREFIX');
  });

  it('noRecordsMatch after the first page is no proof of the end', async () => {
    await using provider = await startOaiProvider(...someRecords(35));
    provider.tellsSize = false;
    provider.lie = onPage(3, () => xml(document('<error code="noRecordsMatch"/>')));
    const source = openOai(provider);
    expect(await recordsIn(source)).toHaveLength(20);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringContaining('noRecordsMatch after its first page') as string,
    });
  });
});

describe('a list in circles', () => {
  it('is stopped where a token comes again', async () => {
    await using provider = await startOaiProvider(...someRecords(35));
    const first = Buffer.from('{"prefix":"oai_dc","at":10}').toString('base64url');
    provider.bend = (listed) => (listed.token = first);
    await expect(openOai(provider).survey(null)).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(/gives a resumptionToken a second time \(page 2\)/) as string,
    });
  });

  it('is stopped after ten pages without a new record', async () => {
    await using provider = await startOaiProvider(...someRecords(35));
    let count = 0;
    provider.bend = (listed) => {
      count += 1;
      listed.token = Buffer.from(JSON.stringify({ prefix: 'oai_dc', at: 10, count })).toString('base64url');
    };
    await expect(openOai(provider).survey(null)).rejects.toThrow(/10 pages without a new record \(page 12\)/);
  });
});

describe('Identify', () => {
  it.each([
    ['protocolVersion', '1.1', /tells protocolVersion "1.1" in Identify; expected 2.0/],
    ['granularity', 'YYYY', /tells granularity "YYYY" in Identify; expected YYYY-MM-DD or/],
    ['deletedRecord', 'sometimes', /expected no, transient or persistent/],
    ['earliestDatestamp', 'long ago', /expected a date or a time in UTC/],
  ])('is checked first: %s', async (name, value, words) => {
    await using provider = await startOaiProvider(...someRecords(5));
    provider.lie = (_, __, usual) =>
      xml(usual.replace(new RegExp(`<${name}>[^<]*</${name}>`), `<${name}>${value}</${name}>`));
    await expect(openOai(provider).survey(null)).rejects.toThrow(words);
    expect(provider.requests).toHaveLength(1);
  });
});

describe('credentials in the address', () => {
  it('travel as Basic and are shown nowhere', async () => {
    await using provider = await startOaiProvider(...someRecords(5));
    const url = provider.url.replace('//', '//user:p%40ss@');
    provider.lie = () => new Response('no', { status: 401 });
    const source = openOai({ url });
    expect(source.shownAs).not.toContain('p%40ss');
    await expect(source.survey(null)).rejects.toThrow(/^(?!.*p%40ss)(?!.*p@ss)/s);
  });
});
