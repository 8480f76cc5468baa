import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startOpenSearch } from '../../../support/opensearch/opensearch.ts';
import { type OpenSearchSetup, openSearchSetup } from '../../support/opensearch-setup.ts';
import { testSink } from '../conformance/test-sink.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-mapping-'));
const file = path.join(folder, 'mapping.json');
writeFileSync(file, JSON.stringify({ mappings: { properties: { pages: { type: 'integer' } } } }));

testSink('OpenSearch', {
  async start() {
    const server = await startOpenSearch();
    return {
      setup: (rows) => openSearchSetup(server, rows),
      async stop() {
        await server.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  refused: {
    fields: { pages: 'precious' },
    why: /^OpenSearch: the value of the field 'pages' does not fit its type in SINK_MAPPING$/,
    environment: { SINK_MAPPING: file },
  },
  rollbackVoidsHeld: true,
  place: (t) => ({ SINK_INDEX: (t as OpenSearchSetup).alias }),
});
