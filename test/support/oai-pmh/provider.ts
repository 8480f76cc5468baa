/** A repository that speaks OAI-PMH 2.0 as documented, over HTTP, and lies where a test asks it to. */
import { Hono } from 'hono';
import { serveApp } from '../../job/support/serve.ts';
import { document, header, type Mode, OaiRefusal, type OaiRecord, recordXml } from './repository.ts';

type Query = Readonly<Record<string, string>>;

export type Listed = {
  readonly query: Query;
  /** Number of the page, from 1. */
  readonly page: number;
  records: readonly OaiRecord[];
  readonly total: number;
  /** Undefined: no element. */
  token: string | undefined;
  size: string | undefined;
};

export type OaiProvider = AsyncDisposable & {
  readonly url: string;
  readonly requests: Query[];
  records: Map<string, OaiRecord>;
  granularity: 'YYYY-MM-DD' | 'YYYY-MM-DDThh:mm:ssZ';
  deletedRecord: Mode;
  earliest: string;
  hasSets: boolean;
  pageSize: number;
  /** Whether pages tell completeListSize. */
  tellsSize: boolean;
  /** Pages of a list that one may read before its tokens expire. */
  tokenLife: number;
  /** Lists everything, whatever `from` asks for. */
  ignoresFrom: boolean;
  /** Alters a page of a list. */
  bend: ((listed: Listed) => void) | null;
  /** An answer instead of the usual one. */
  lie: ((query: Query, count: number, usual: string) => Response | undefined) | null;
  put(...records: OaiRecord[]): void;
};

type Token = { from?: string; until?: string; set?: string; prefix: string; at: number };

export async function startOaiProvider(...records: OaiRecord[]): Promise<OaiProvider> {
  const app = new Hono();
  app.get('/oai', (c) => {
    const query = c.req.query();
    provider.requests.push(query);
    const usual = document(answerOf(provider, query));
    const lie = provider.lie?.(query, provider.requests.length, usual);
    return lie ?? new Response(usual, { headers: { 'content-type': 'text/xml; charset=utf-8' } });
  });
  const server = await serveApp(app);
  const provider: OaiProvider = {
    url: `${server.url}/oai`,
    requests: [],
    records: new Map(),
    granularity: 'YYYY-MM-DDThh:mm:ssZ',
    deletedRecord: 'persistent',
    earliest: '2025-01-01T00:00:00Z',
    hasSets: true,
    pageSize: 10,
    tellsSize: true,
    tokenLife: Infinity,
    ignoresFrom: false,
    bend: null,
    lie: null,
    put: (...more) => {
      for (const record of more) provider.records.set(record.id, record);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  provider.put(...records);
  return provider;
}

function answerOf(provider: OaiProvider, query: Query): string {
  try {
    return verbs[query['verb'] ?? '']?.(provider, query) ?? refuse('badVerb', 'unknown verb');
  } catch (error) {
    if (!(error instanceof OaiRefusal)) throw error;
    return `<error code="${error.code}">${error.message}</error>`;
  }
}

const verbs: Readonly<Record<string, (provider: OaiProvider, query: Query) => string>> = {
  Identify: (provider) => `<Identify><repositoryName>Stand-in &amp; test</repositoryName>
<baseURL>${provider.url}</baseURL><protocolVersion>2.0</protocolVersion><adminEmail>a@example.org</adminEmail>
<earliestDatestamp>${inGranularity(provider, provider.earliest)}</earliestDatestamp>
<deletedRecord>${provider.deletedRecord}</deletedRecord><granularity>${provider.granularity}</granularity>
<description><toolkit xmlns="urn:toolkit"><granularity>none</granularity></toolkit></description></Identify>`,
  ListRecords: (provider, query) => list(provider, query, recordXml),
  ListIdentifiers: (provider, query) => list(provider, query, header),
  GetRecord(provider, { identifier = '', metadataPrefix = '' }) {
    const record = seen(provider).find(({ id }) => id === identifier);
    if (record === undefined) return refuse('idDoesNotExist', 'no such record');
    if (!record.isDeleted && !(metadataPrefix in record.formats))
      return refuse('cannotDisseminateFormat', 'not in this format');
    return `<GetRecord>${recordXml(record, metadataPrefix)}</GetRecord>`;
  },
};

function refuse(code: string, words: string): never {
  throw new OaiRefusal(code, words);
}

/** The records that the repository shows, in an order of its own and with datestamps of its granularity. */
function seen(provider: OaiProvider): OaiRecord[] {
  return [...provider.records.values()]
    .filter(({ isDeleted }) => !isDeleted || provider.deletedRecord !== 'no')
    .map((record) => ({ ...record, stamp: inGranularity(provider, record.stamp) }))
    .toSorted(inOwnOrder);
}

/** The order of the repository, which is none that a reader could expect. */
export function inOwnOrder(one: { id: string }, other: { id: string }): number {
  return mixed(one.id) - mixed(other.id);
}

function mixed(id: string): number {
  let hash = 7;
  for (const sign of id) hash = (hash * 31 + (sign.codePointAt(0) ?? 0) * 7919) % 1_000_003;
  return hash;
}

function inGranularity({ granularity }: OaiProvider, stamp: string): string {
  return stamp.slice(0, granularity.length);
}

function list(
  provider: OaiProvider,
  query: Query,
  xml: (record: OaiRecord, prefix: string) => string,
): string {
  const token = query['resumptionToken'] === undefined ? begin(provider, query) : resumed(provider, query);
  const { from = '', until = '9999', set, prefix, at } = token;
  const known = [...provider.records.values()].some((record) => prefix in record.formats);
  if (!known && provider.records.size > 0) return refuse('cannotDisseminateFormat', 'no such format');
  const matching = seen(provider).filter(
    ({ stamp, sets = [], formats, isDeleted }) =>
      (provider.ignoresFrom || stamp >= from) &&
      stamp <= until &&
      (isDeleted || prefix in formats) &&
      (set === undefined || sets.some((spec) => spec === set || spec.startsWith(`${set}:`))),
  );
  if (matching.length === 0) return refuse('noRecordsMatch', 'nothing matches');
  const records = matching.slice(at, at + provider.pageSize);
  const next = at + provider.pageSize;
  const isWhole = at === 0 && next >= matching.length;
  const following = next < matching.length ? encoded({ ...token, at: next }) : '';
  const listed: Listed = {
    query,
    page: at / provider.pageSize + 1,
    records,
    total: matching.length,
    token: isWhole ? undefined : following,
    size: provider.tellsSize ? String(matching.length) : undefined,
  };
  provider.bend?.(listed);
  const size = listed.size === undefined ? '' : ` completeListSize="${listed.size}"`;
  const end =
    listed.token === undefined
      ? ''
      : `<resumptionToken${size} cursor="${at}">${listed.token}</resumptionToken>`;
  const body = listed.records.map((record) => xml(record, prefix)).join('\n');
  return `<${query['verb']}>${body}${end}</${query['verb']}>`;
}

function begin(provider: OaiProvider, query: Query): Token {
  const { metadataPrefix: prefix, from, until, set } = query;
  if (prefix === undefined) return refuse('badArgument', 'metadataPrefix is missing');
  if (set !== undefined && !provider.hasSets) return refuse('noSetHierarchy', 'no sets here');
  for (const stamp of [from, until])
    if (stamp !== undefined && stamp.length !== inGranularity(provider, provider.earliest).length)
      return refuse('badArgument', `${stamp} is not in the granularity ${provider.granularity}`);
  return {
    prefix,
    at: 0,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(set === undefined ? {} : { set }),
  };
}

function resumed(provider: OaiProvider, query: Query): Token {
  if (Object.keys(query).length !== 2) return refuse('badArgument', 'resumptionToken is exclusive');
  const token = JSON.parse(
    Buffer.from(query['resumptionToken'] ?? '', 'base64url').toString() || '{}',
  ) as Token;
  if (token.at === undefined || token.at / provider.pageSize >= provider.tokenLife)
    return refuse('badResumptionToken', 'the token has expired');
  return token;
}

function encoded(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}
