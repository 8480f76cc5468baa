/** A real OpenSearch of one node for one test file, with the calls that tests make. */
import { startJavaServer } from '../java-server.ts';
import { openSearchProgram } from './opensearch-program.ts';

export type OpenSearch = {
  readonly url: string;
  /**
   * @returns the answer's JSON
   * @throws Error with the server's message if it refuses
   */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** The index of each alias whose name begins with this, without those of runs. */
  holders(alias: string): Promise<string[]>;
  /** Names of the indexes that begin with this. */
  indexes(prefix: string): Promise<string[]>;
  /** The bodies of all documents that a search finds, by id; at most 1000. */
  documents(index: string): Promise<Record<string, Record<string, unknown>>>;
  stop(): Promise<void>;
};

export async function startOpenSearch(): Promise<OpenSearch> {
  const classPath = await openSearchProgram((line) => console.log(`[test] ${line}`));
  const { url, stop } = await startJavaServer({ name: 'OpenSearch', classPath, main: 'OpenSearchForTests' });
  const call: OpenSearch['call'] = async (method, where, body) => {
    const answer = await fetch(`${url}${where}`, {
      method,
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${where} answered ${answer.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    url,
    call,
    async holders(alias) {
      const found = await call('GET', `_alias?filter_path=*.aliases`);
      return Object.entries(found)
        .filter(([, one]) => alias in (one as { aliases: object }).aliases)
        .map(([index]) => index);
    },
    async indexes(prefix) {
      return Object.keys(await call('GET', `_settings?filter_path=*.settings.index.uuid`))
        .filter((name) => name.startsWith(prefix))
        .toSorted();
    },
    async documents(index) {
      await call('POST', `${index}/_refresh`);
      const { hits } = (await call('GET', `${index}/_search?size=1000`)) as {
        hits: { hits: { _id: string; _source: Record<string, unknown> }[] };
      };
      return Object.fromEntries(hits.hits.map(({ _id: id, _source: source }) => [id, source]));
    },
    stop,
  };
}
