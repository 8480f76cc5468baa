/** Starts one real Postgres and one real Temporal for the whole test run, in a folder that is removed with them. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { bundleForWorker } from '../../src/embedded/workflow-bundle.ts';
import { fillCompileCache } from './compile-cache.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the database `postgres`, as superuser. */
    postgresUrl: string;
    /** host:port of the in-memory dev server. */
    temporalAddress: string;
    /** Further environment of a worker: its workflows, bundled once. */
    workerEnvironment: Record<string, string>;
  }
}

type Provided = Pick<ProvidedContext, 'postgresUrl' | 'temporalAddress' | 'workerEnvironment'>;
type Servers = { readonly provided: Provided; stop(): Promise<void> };
type Shared = { servers: Promise<Servers>; users: number };

/** Where the projects of a run find what the first of them started: each evaluates this module again. */
const everywhere = globalThis as { syncratorTestServers?: Shared };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (everywhere.syncratorTestServers ??= { servers: startServers(), users: 0 });
  shared.users += 1;
  const { provided, stop } = await shared.servers;
  project.provide('postgresUrl', provided.postgresUrl);
  project.provide('temporalAddress', provided.temporalAddress);
  project.provide('workerEnvironment', provided.workerEnvironment);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete everywhere.syncratorTestServers;
    await stop();
  };
}

async function startServers(): Promise<Servers> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-test-'));
  const onProgress = (line: string) => console.log(`[test] ${line}`);
  const stops: Array<() => Promise<void>> = [];
  const stop = async () => {
    const results = await Promise.allSettled(stops.map((one) => one()));
    rmSync(dataDir, { recursive: true, force: true });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    const filled = fillCompileCache();
    const postgres = await startPostgres({ dataDir, onProgress, ephemeral: true });
    stops.push(() => postgres.stop());
    const bundleScript = path.resolve(import.meta.dirname, '../../src/workflow-bundle.ts');
    const workerEnvironment = await bundleForWorker(bundleScript, path.join(dataDir, 'workflow-bundle.js'));
    const temporal = await startTemporal({ dataDir, onProgress, inMemory: true });
    stops.push(() => temporal.stop());
    await filled;
    return {
      provided: {
        postgresUrl: postgres.url('postgres'),
        temporalAddress: temporal.address,
        workerEnvironment,
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
