/** A real SolrCloud of one node for one test file, with the calls that tests make. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { solrProgram } from './solr-program.ts';

const CONFIGSET = path.join(import.meta.dirname, 'configset');
const READY_WITHIN_MS = 90_000;

export type SolrDocument = { readonly id: string } & Readonly<Record<string, unknown>>;

export type Solr = {
  /** …/solr/ */
  readonly url: string;
  /**
   * @returns the answer's JSON
   * @throws Error with Solr's message if Solr refuses
   */
  call(path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Creates a collection of the configset `catalogue`. */
  createCollection(name: string, shards?: number): Promise<void>;
  alias(name: string, collection: string): Promise<void>;
  aliases(): Promise<Record<string, string>>;
  /** All documents that a search finds, by id; at most 1000. */
  documents(collection: string): Promise<SolrDocument[]>;
  stop(): Promise<void>;
};

export async function startSolr(): Promise<Solr> {
  const classPath = await solrProgram((line) => console.log(`[test] ${line}`));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-solr-'));
  const quick = ['-Xmx512m', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${folder}`];
  const child = spawn('java', [...quick, '-cp', classPath, 'SolrForTests', folder, CONFIGSET], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = new Promise<string>((resolve) => {
    const keep = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-20_000);
      const url = /^ready (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve(`${url}/`);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  });
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  const never = once(late, 'abort').then(() => 'was not ready in time');
  const first = await Promise.race([
    ready,
    Promise.race([exited.then(() => 'ended'), never]).then((why) => ({ why })),
  ]);
  if (typeof first === 'object') {
    await stop();
    throw new Error(`Solr ${first.why}:\n${output.slice(-3_000)}`);
  }
  return { ...solrAt(first), stop };
}

function solrAt(url: string): Omit<Solr, 'stop'> {
  const call = async (where: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}${where}${where.includes('?') ? '&' : '?'}wt=json`, {
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${where} answered ${answer.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const admin = (query: Record<string, string>) =>
    call(`admin/collections?${new URLSearchParams(query).toString()}`);
  return {
    url,
    call,
    async createCollection(name, shards = 1) {
      const like = { 'collection.configName': 'catalogue', numShards: String(shards) };
      await admin({ action: 'CREATE', name, ...like, waitForFinalState: 'true' });
    },
    async alias(name, collection) {
      await admin({ action: 'CREATEALIAS', name, collections: collection });
    },
    async aliases() {
      return ((await admin({ action: 'LISTALIASES' }))['aliases'] ?? {}) as Record<string, string>;
    },
    async documents(collection) {
      const found = await call(`${collection}/select`, { query: '*:*', limit: 1000, sort: 'id asc' });
      return (found['response'] as { docs: SolrDocument[] }).docs;
    },
  };
}
