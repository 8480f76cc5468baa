/** An alias of a real OpenSearch or Solr for each story, with the sink that writes it. */
import type { JobArguments } from '../../../src/job/arguments.ts';
import { openSettings } from '../../../src/job/settings-file.ts';
import { readIndexBody } from '../../../src/job/sinks/opensearch/mapping.ts';
import { createOpenSearchSink } from '../../../src/job/sinks/opensearch/opensearch-sink.ts';
import { createSolrSink } from '../../../src/job/sinks/solr/solr-sink.ts';
import { type Attempt, uidOf } from '../../job/support/attempt.ts';
import type { Rows } from '../../job/support/live-rows.ts';
import type { Passing } from '../../support/bending-proxy.ts';
import { startOpenSearch } from '../../support/opensearch/opensearch.ts';
import { startSolr } from '../../support/solr/solr.ts';

export type SearchServer = AsyncDisposable & {
  readonly kind: 'opensearch' | 'solr';
  place(): Promise<SearchPlace>;
};

export type SearchPlace = AsyncDisposable & {
  /** A load leaves the generation that is kept as it is. */
  readonly keepsWhileLoading: boolean;
  /** Whether the request changes something on the server. */
  readonly isChange: (request: Passing) => boolean;
  /** The server's address, for {@link Attempt.url} or a proxy before it. */
  readonly url: string;
  readonly sink: NonNullable<Attempt['sink']>;
  /** Settings and options of the program itself, through a proxy at `url`. */
  program(url: string, action: string): { environment: Record<string, string>; options: readonly string[] };
  /** All live records. */
  rows(): Promise<Rows>;
  /** What a reader of the alias finds at this moment. */
  seen(): Promise<Rows>;
  /** What no run needs any more, in words. */
  leftovers(): Promise<string[]>;
};

type Document = Readonly<Record<string, unknown>>;

/** Id -> time and name, as {@link rowsOf} has them. */
function rowsOfDocuments(documents: Iterable<readonly [string, Document]>, time: string): Rows {
  return new Map(
    [...documents].map(([id, document]) => {
      const at = new Date(String(document[time])).toISOString().replace('Z', '000Z');
      return [id, `${at} {"name": ${JSON.stringify(document['name'])}}`];
    }),
  );
}

/** The options of a rollback. */
function rollbackGiven({
  before = null,
  only,
}: Pick<Attempt, 'before' | 'only'>): Pick<JobArguments, 'before' | 'ids' | 'only'> {
  const ids = only === undefined || only === 'of the job' ? [] : [...only.ids];
  return { before: before === null ? null : uidOf(before), ids, only: only === 'of the job' };
}

const quiet = { stop: new AbortController().signal, onWait: () => {}, log: () => {} };

export async function openSearchServer(): Promise<SearchServer> {
  const server = await startOpenSearch();
  let made = 0;
  return {
    kind: 'opensearch',
    async place() {
      const alias = `cities${(made += 1)}`;
      const body = readIndexBody(openSettings({}));
      const found = async (): Promise<Rows> => {
        const { hits } = (await server.call('GET', `${alias}/_search?size=1000`)) as {
          hits: { hits: { _id: string; _source: Document }[] };
        };
        return rowsOfDocuments(
          hits.hits.map(({ _id: id, _source: source }) => [id, source] as const),
          'updated_at',
        );
      };
      return {
        keepsWhileLoading: true,
        isChange: ({ method, path }) =>
          method === 'PUT' || method === 'DELETE' || /_bulk$|_aliases$/.test(path),
        url: server.url,
        sink: ({ url, patienceMs = 0, ...rest }, writer) =>
          createOpenSearchSink({
            settings: { kind: 'opensearch', url, alias, body, keepChangesMs: 86_400_000 },
            given: rollbackGiven(rest),
            writer,
            patienceMs,
            ...quiet,
          }),
        program: (url) => ({
          environment: { SINK: 'opensearch', SINK_URL: url, SINK_INDEX: alias },
          options: [],
        }),
        async rows() {
          await server.call('POST', `${alias}/_refresh`);
          return await found();
        },
        seen: found,
        async leftovers() {
          const stored = (await server.call('GET', `syncrator-state/_doc/${alias}`))['_source'];
          const { state } = stored as { state: Record<'move' | 'load', unknown> & { generations: object } };
          const indexes = await server.indexes(`${alias}-`);
          return [
            ...(['move', 'load'] as const)
              .filter((key) => state[key] !== null)
              .map((key) => `a ${key} in its state`),
            ...indexes
              // Copies of removed records outlive the job that made them.
              .filter(
                (index) => !Object.hasOwn(state.generations, index) && index !== `${alias}-syncrator-removed`,
              )
              .map((index) => `the index ${index}`),
          ];
        },
        async [Symbol.asyncDispose]() {
          for (const index of await server.indexes(`${alias}-`)) await server.call('DELETE', index);
        },
      };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

export async function solrServer(): Promise<SearchServer> {
  const server = await startSolr();
  let made = 0;
  return {
    kind: 'solr',
    async place() {
      const app = `cities${(made += 1)}`;
      for (const place of ['a', 'b']) await server.createCollection(`${app}_${place}`);
      await server.alias(app, `${app}_a`);
      await server.alias(`${app}-standby`, `${app}_b`);
      const found = async (): Promise<Rows> =>
        rowsOfDocuments(
          (await server.documents(app)).map((document) => [document.id, document] as const),
          'updated_at_dt',
        );
      return {
        keepsWhileLoading: false,
        isChange: ({ method, path, query }) =>
          (method === 'POST' && path.endsWith('/update')) || /CREATE|DELETE/.test(query['action'] ?? ''),
        url: server.url,
        sink({ url, patienceMs = 0, ...rest }, writer) {
          const action = writer.action as Attempt['action'];
          const given = {
            action,
            switchSolrAlias: true,
            targetEnv: null,
            target: null,
            of: null,
            ...rollbackGiven(rest),
          };
          const settings = {
            kind: 'solr' as const,
            url,
            app: { name: app, key: 'SOLR_APP' as const },
            env: null,
            keepChangesMs: 86_400_000,
          };
          return createSolrSink({ settings, given, writer, patienceMs, ...quiet });
        },
        program: (url, action) => ({
          environment: { SINK: 'solr', SOLR_URL: url, SOLR_APP: app },
          options: action === 'sync' ? ['--switch_solr_alias', '--target_env', 'dev', '--target', app] : [],
        }),
        async rows() {
          await server.call(`${app}/update?commit=true`, []);
          return await found();
        },
        seen: found,
        async leftovers() {
          const { doc } = await server.call(`syncrator_state/get?id=${app}`);
          const state = JSON.parse(String((doc as Document)['state_s'])) as Record<string, unknown>;
          const aliases = Object.keys(await server.aliases());
          return [
            ...['move', 'load']
              .filter((key) => (state[key] ?? null) !== null)
              .map((key) => `a ${key} in its state`),
            ...aliases.filter((alias) => alias === `${app}-sync`).map((alias) => `the alias ${alias}`),
          ];
        },
        async [Symbol.asyncDispose]() {
          const remove = (action: string, name: string) =>
            server.call(`admin/collections?action=${action}&name=${name}`);
          const ours = (name: string): boolean => new RegExp(`^${app}([-_]|$)`).test(name);
          for (const alias of Object.keys(await server.aliases()).filter(ours))
            await remove('DELETEALIAS', alias);
          const { collections } = await server.call('admin/collections?action=LIST');
          for (const name of (collections as string[]).filter(ours)) await remove('DELETE', name);
        },
      };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
