/** Sets up two collections with their aliases in a real Solr, and runs the program against them through a proxy. */

import { parseArguments } from '../../../src/job/arguments.ts';
import type { Sink } from '../../../src/job/sinks/sink.ts';
import { createSolrSink, type SolrSinkInput } from '../../../src/job/sinks/solr/solr-sink.ts';
import type { Writer } from '../../../src/job/sinks/writer.ts';
import type { Solr, SolrDocument } from '../../support/solr/solr.ts';
import { type BendingProxy, startBendingProxy } from '../../support/bending-proxy.ts';
import type { FakeRow } from './fake-source.ts';
import { type Ended, type Setup, setup } from './setup.ts';
import { writerOf } from './writer.ts';

export type SolrSetup = AsyncDisposable &
  Pick<Setup, 'source' | 'receiver'> & {
    readonly app: string;
    readonly solr: Solr;
    readonly proxy: BendingProxy;
    readonly environment: Record<string, string>;
    /** Runs the program in this process; adds the options that a sync needs. */
    run(options: string, environment?: Record<string, string>, terminate?: AbortSignal): Promise<Ended>;
    /** Starts the program as a child process. */
    spawn(options: string, environment?: Record<string, string>): ReturnType<Setup['spawn']>;
    /** id -> name, as readers see it. */
    names(collection?: string): Promise<Record<string, string>>;
    /** The collection of each alias: `a`, `b`, or null without the alias. */
    aliases(): Promise<{ primary: string | null; standby: string | null; loading: string | null }>;
    /** Name of the application; its collections are `<app>_a`, which is live, and `<app>_b`. */
    state(): Promise<Record<string, unknown>>;
    /** The documents of lists of held records. */
    pieces(): Promise<string[]>;
    /** The copies of removed records, as texts. */
    copies(): Promise<string[]>;
    /** The sink of one run, not yet open. */
    sink(
      writer?: Partial<Writer>,
      options?: Partial<
        Pick<SolrSinkInput, 'patienceMs' | 'deadlineMs' | 'onWait' | 'stop'> & { url: string }
      >,
    ): Sink;
    setState(change: (state: Record<string, unknown>) => Record<string, unknown>): Promise<void>;
  };

let made = 0;
/** Applications of ended tests, by the Solr that has them: to empty two collections is far quicker than to create them. */
const unused = new WeakMap<Solr, string[]>();

export async function solrSetup(
  solr: Solr,
  rows: readonly FakeRow[] = [],
  { shards = 1 }: { shards?: number } = {},
): Promise<SolrSetup> {
  const app = (shards === 1 ? unused.get(solr)?.pop() : undefined) ?? (await makeApplication(solr, shards));
  const base = await setup(rows);
  const proxy = await startBendingProxy(solr.url);
  const environment = {
    SYNCRATOR_TARGET: app,
    SINK: 'solr',
    SOLR_URL: proxy.url,
  };
  const whole = (options: string): string =>
    /^(sync|check|plan --of sync)/.test(options)
      ? `${options} --switch_solr_alias --target_env dev --target ${app}`
      : options;
  const place = (listed: Record<string, string>, alias: string): string | null =>
    listed[alias]?.replace(`${app}_`, '') ?? null;
  const readState = async (): Promise<SolrDocument> =>
    (await solr.call(`syncrator_state/get?id=${app}`))['doc'] as SolrDocument;
  return {
    app,
    solr,
    proxy,
    source: base.source,
    receiver: base.receiver,
    environment,
    run: (options, more = {}, terminate) => base.run(whole(options), { ...environment, ...more }, terminate),
    spawn: (options, more = {}) => base.spawn(whole(options).split(' '), { ...environment, ...more }),
    async names(collection = app) {
      const found = await solr.documents(collection);
      return Object.fromEntries(found.map(({ id, name }) => [id, String(name)]));
    },
    async aliases() {
      const listed = await solr.aliases();
      return {
        primary: place(listed, app),
        standby: place(listed, `${app}-standby`),
        loading: place(listed, `${app}-sync`),
      };
    },
    state: async () => JSON.parse(String((await readState())['state_s'])) as Record<string, unknown>,
    async pieces() {
      await solr.call('syncrator_state/update', { commit: {} });
      const ids = (await solr.documents('syncrator_state')).map(({ id }) => id);
      return ids.filter((id) => id.startsWith(`${app}.held.`));
    },
    async copies() {
      const name = `${app}-syncrator-removed`;
      const { collections } = (await solr.call('admin/collections?action=LIST')) as { collections: string[] };
      return collections.includes(name)
        ? (await solr.documents(name)).map((copy) => JSON.stringify(copy))
        : [];
    },
    sink(of = {}, { url = proxy.url, ...options } = {}) {
      const writer = writerOf(of);
      const parsed = parseArguments([writer.action, '--switch_solr_alias']);
      if (parsed.kind !== 'run') throw new Error(parsed.text);
      return createSolrSink({
        settings: {
          kind: 'solr',
          url,
          app: { name: app, key: 'SOLR_APP' },
          env: null,
          keepChangesMs: 86_400_000,
        },
        given: parsed.arguments,
        writer,
        stop: new AbortController().signal,
        onWait: () => {},
        log: () => {},
        ...options,
      });
    },
    async setState(change) {
      const state = JSON.parse(String((await readState())['state_s'])) as Record<string, unknown>;
      const document = { id: app, state_s: JSON.stringify(change(state)) };
      await solr.call('syncrator_state/update?commit=true', [document]);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await base[Symbol.asyncDispose]();
      if (shards > 1 || !(await isAsMade(solr, app))) return;
      await makeEmpty(solr, app);
      unused.set(solr, [...(unused.get(solr) ?? []), app]);
    },
  };
}

async function makeApplication(solr: Solr, shards: number): Promise<string> {
  const app = `catalogue${(made += 1)}`;
  for (const place of ['a', 'b']) await solr.createCollection(`${app}_${place}`, shards);
  await solr.alias(app, `${app}_a`);
  await solr.alias(`${app}-standby`, `${app}_b`);
  return app;
}

async function collectionsOf(solr: Solr, app: string): Promise<string[]> {
  const { collections } = (await solr.call('admin/collections?action=LIST')) as { collections: string[] };
  return collections.filter((name) => name.startsWith(`${app}_`) || name.startsWith(`${app}-`));
}

/** Whether a test has left no other collections and aliases than those that each test begins with, or that runs make. */
async function isAsMade(solr: Solr, app: string): Promise<boolean> {
  const collections = (await collectionsOf(solr, app)).filter((name) => name !== `${app}-syncrator-removed`);
  const aliases = Object.entries(await solr.aliases()).filter(
    ([, of]) => of.startsWith(`${app}_`) || of.startsWith(`${app}-`),
  );
  const known = [app, `${app}-standby`, `${app}-sync`];
  return (
    collections.toSorted().join() === `${app}_a,${app}_b` && aliases.every(([alias]) => known.includes(alias))
  );
}

async function makeEmpty(solr: Solr, app: string): Promise<void> {
  const aliases = await solr.aliases();
  for (const [alias, collection] of [
    [app, `${app}_a`],
    [`${app}-standby`, `${app}_b`],
  ] as const)
    if (aliases[alias] !== collection) await solr.alias(alias, collection);
  const admin = (query: string) => solr.call(`admin/collections?${query}`);
  if (aliases[`${app}-sync`] !== undefined) await admin(`action=DELETEALIAS&name=${app}-sync`);
  for (const name of await collectionsOf(solr, app)) {
    if (name.endsWith('-syncrator-removed')) await admin(`action=DELETE&name=${name}`);
    else await solr.call(`${name}/update?commit=true`, { delete: { query: '*:*' } });
  }
  const { collections } = (await admin('action=LIST')) as { collections: string[] };
  if (!collections.includes('syncrator_state')) return;
  const query = `id:${app} OR id:${app}.held.*`;
  await solr.call('syncrator_state/update?commit=true', { delete: { query } });
}
