/**
 * What every sink does, whatever it stores records in: the same tests for Postgres, Solr and OpenSearch, each with a small
 * adapter. What only one of them does is tested beside it.
 */
import { afterAll, beforeAll } from 'vitest';
import { testBaseline } from './baseline.ts';
import { testChanges } from './changes.ts';
import { testFence } from './fence.ts';
import { testHeldRemovals } from './held-removals.ts';
import { testHistory } from './history.ts';
import { testPlans } from './plans.ts';
import { testRandomKills } from './random-kills.ts';
import { testRefusedRecords } from './refused-records.ts';
import { testSourceState } from './source-state.ts';
import { testToldDeletions } from './told-deletions.ts';
import type { SetUp, SinkAdapter } from './tested-sink.ts';

const PARTS = {
  changes: testChanges,
  told: testToldDeletions,
  state: testSourceState,
  refused: testRefusedRecords,
  held: testHeldRemovals,
  history: testHistory,
  baseline: testBaseline,
  fence: testFence,
  plans: testPlans,
  kills: testRandomKills,
};
type Part = keyof typeof PARTS;

/** @param parts a variant of a sink that is tested whole repeats only what the variant may change */
export function testSink(
  name: string,
  adapter: SinkAdapter,
  parts: readonly Part[] = Object.keys(PARTS) as Part[],
): void {
  let started: Awaited<ReturnType<SinkAdapter['start']>> | undefined;
  beforeAll(async () => {
    started = await adapter.start();
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => started?.stop());
  const setup: SetUp = async (rows) => {
    if (!started) throw new Error(`${name} has not started`);
    return await started.setup(rows);
  };
  for (const part of parts) PARTS[part](name, setup, adapter);
}
