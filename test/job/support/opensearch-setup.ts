/** Sets up an alias's name in a real OpenSearch, and runs the program against it through a proxy. */
import {
  createOpenSearchSink,
  type OpenSearchSinkInput,
} from '../../../src/job/sinks/opensearch/opensearch-sink.ts';
import { readIndexBody } from '../../../src/job/sinks/opensearch/mapping.ts';
import type { State } from '../../../src/job/sinks/opensearch/state.ts';
import { openSettings } from '../../../src/job/settings-file.ts';
import type { Sink } from '../../../src/job/sinks/sink.ts';
import type { Writer } from '../../../src/job/sinks/writer.ts';
import { type BendingProxy, startBendingProxy } from '../../support/bending-proxy.ts';
import type { OpenSearch } from '../../support/opensearch/opensearch.ts';
import type { FakeRow } from './fake-source.ts';
import { type Ended, type Setup, setup } from './setup.ts';
import { writerOf } from './writer.ts';

export type OpenSearchSetup = AsyncDisposable &
  Pick<Setup, 'source' | 'receiver'> & {
    readonly alias: string;
    readonly server: OpenSearch;
    readonly proxy: BendingProxy;
    readonly environment: Record<string, string>;
    /** Runs the program in this process. */
    run(options: string, environment?: Record<string, string>, terminate?: AbortSignal): Promise<Ended>;
    /** Starts the program as a child process. */
    spawn(options: string, environment?: Record<string, string>): ReturnType<Setup['spawn']>;
    /** id -> name, as readers see it; none without the alias. */
    names(index?: string): Promise<Record<string, string>>;
    /** The live index; null without the alias. */
    live(): Promise<string | null>;
    /** All indexes of the alias, without that of the copies. */
    indexes(): Promise<string[]>;
    /** The copies of removed records. */
    copies(): Promise<Record<string, unknown>[]>;
    state(): Promise<State>;
    /** The documents of lists of held records. */
    pieces(): Promise<string[]>;
    setState(change: (state: State) => State): Promise<void>;
    /** The sink of one run, not yet open. */
    sink(
      writer?: Partial<Writer>,
      options?: Partial<
        Pick<OpenSearchSinkInput, 'patienceMs' | 'deadlineMs' | 'onWait' | 'stop'> & { url: string }
      >,
    ): Sink;
  };

let made = 0;

export async function openSearchSetup(
  server: OpenSearch,
  rows: readonly FakeRow[] = [],
): Promise<OpenSearchSetup> {
  const alias = `cities${(made += 1)}`;
  const base = await setup(rows);
  const proxy = await startBendingProxy(server.url);
  const environment = { SINK: 'opensearch', SINK_URL: proxy.url, SINK_INDEX: alias };
  const stored = async () =>
    (await server.call('GET', `syncrator-state/_doc/${alias}`))['_source'] as { state: State };
  const removed = `${alias}-syncrator-removed`;
  const all = () => server.indexes(`${alias}-`);
  return {
    alias,
    server,
    proxy,
    source: base.source,
    receiver: base.receiver,
    environment,
    run: (options, more = {}, terminate) => base.run(options, { ...environment, ...more }, terminate),
    spawn: (options, more = {}) => base.spawn(options.split(' '), { ...environment, ...more }),
    async names(index = alias) {
      if (index === alias && (await server.holders(alias)).length === 0) return {};
      const found = await server.documents(index);
      return Object.fromEntries(Object.entries(found).map(([id, { name }]) => [id, String(name)]));
    },
    async live() {
      return (await server.holders(alias))[0] ?? null;
    },
    indexes: async () => (await all()).filter((name) => name !== removed),
    async copies() {
      if (!(await all()).includes(removed)) return [];
      return Object.values(await server.documents(removed));
    },
    state: async () => (await stored()).state,
    async pieces() {
      await server.call('POST', 'syncrator-state/_refresh');
      const found = Object.keys(await server.documents('syncrator-state'));
      return found.filter((id) => id.startsWith(`${alias}.held.`));
    },
    async setState(change) {
      const { state, ...rest } = await stored();
      await server.call('PUT', `syncrator-state/_doc/${alias}`, { ...rest, state: change(state) });
    },
    sink(of = {}, { url = proxy.url, ...options } = {}) {
      const writer = writerOf(of);
      return createOpenSearchSink({
        settings: {
          kind: 'opensearch',
          url,
          alias,
          body: readIndexBody(openSettings({})),
          keepChangesMs: 86_400_000,
        },
        given: { before: null, ids: [], only: false },
        writer,
        stop: new AbortController().signal,
        onWait: () => {},
        log: () => {},
        ...options,
      });
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await base[Symbol.asyncDispose]();
      for (const index of await all()) await server.call('DELETE', index);
    },
  };
}
