/**
 * What every sink does, whatever it stores records in: the same tests for Postgres, Solr and OpenSearch, each with a small
 * adapter. What only one of them does is tested beside it.
 */
import { afterAll, beforeAll } from 'vitest';
import { testChanges } from './changes.ts';
import { testFence } from './fence.ts';
import { testHistory } from './history.ts';
import { testRandomKills } from './random-kills.ts';
import { testRefusedRecords } from './refused-records.ts';
import type { SetUp, SinkAdapter } from './tested-sink.ts';

export function testSink(name: string, adapter: SinkAdapter): void {
  let started: Awaited<ReturnType<SinkAdapter['start']>> | undefined;
  beforeAll(async () => {
    started = await adapter.start();
  }, 660_000); // the first run gets the server from Maven Central
  afterAll(() => started?.stop());
  const setup: SetUp = async (rows) => {
    if (!started) throw new Error(`${name} has not started`);
    return await started.setup(rows);
  };
  testChanges(name, setup);
  testRefusedRecords(name, setup, adapter);
  testHistory(name, setup);
  testFence(name, setup, adapter);
  testRandomKills(name, setup);
}
