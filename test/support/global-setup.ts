/** Starts one real Postgres and one real Temporal for the whole test run, in a folder that is thrown away. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { bundleForWorker } from '../../src/embedded/workflow-bundle.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's address of the database `postgres`. */
    postgresUrl: string;
    /** host:port of the in-memory dev server. */
    temporalAddress: string;
    /** What a worker's environment needs besides: its workflows, bundled once. */
    workerEnvironment: Record<string, string>;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-test-'));
  const onProgress = (line: string) => console.log(`[test] ${line}`);
  const stops: Array<() => Promise<void>> = [];
  const teardown = async () => {
    const results = await Promise.allSettled(stops.map((stop) => stop()));
    rmSync(dataDir, { recursive: true, force: true });
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    const postgres = await startPostgres({ dataDir, onProgress, ephemeral: true });
    stops.push(() => postgres.stop());
    const bundleScript = path.resolve(import.meta.dirname, '../../src/workflow-bundle.ts');
    project.provide(
      'workerEnvironment',
      await bundleForWorker(bundleScript, path.join(dataDir, 'workflow-bundle.js')),
    );
    const temporal = await startTemporal({ dataDir, onProgress, inMemory: true });
    stops.push(() => temporal.stop());
    project.provide('postgresUrl', postgres.url('postgres'));
    project.provide('temporalAddress', temporal.address);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
