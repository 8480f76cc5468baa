/** Sabotage against an OpenSearch sink. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startOpenSearch } from '../../support/opensearch/opensearch.ts';
import { pausingProxy } from './pausing-proxy.ts';
import type { SinkServer } from './stage.ts';
import { sabotage } from './suite.ts';

async function startOpenSearchSink(): Promise<SinkServer> {
  const server = await startOpenSearch();
  const proxy = await pausingProxy(server.url);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-sabotage-'));
  const mapping = path.join(folder, 'mapping.json');
  writeFileSync(mapping, JSON.stringify({ mappings: { properties: { name: { type: 'long' } } } }));
  return {
    syncOptions: () => '',
    prepare: (target) => Promise.resolve({ SINK: 'opensearch', SINK_URL: proxy.url, SINK_INDEX: target }),
    async names(target) {
      const found = await server.documents(target);
      return Object.fromEntries(Object.entries(found).map(([id, { name }]) => [id, String(name)]));
    },
    pauseSwitch: (target) =>
      proxy.pause(({ path: at, body }) => at.endsWith('_aliases') && body.includes(target)),
    misfit: () => Promise.resolve({ SINK_MAPPING: mapping }),
    async stop() {
      await proxy[Symbol.asyncDispose]();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

sabotage('OpenSearch', startOpenSearchSink);
