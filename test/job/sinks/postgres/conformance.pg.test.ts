import { setup, type Setup } from '../../support/setup.ts';
import { testSink } from '../conformance/test-sink.ts';
import type { SinkAdapter, TestedSink } from '../conformance/tested-sink.ts';

type TestedPostgres = TestedSink & Pick<Setup, 'query'>;

/** @param name SQL of a record's name */
function adapterOf(name: string, settings: Record<string, string>): SinkAdapter {
  return {
    async start() {
      return {
        async setup(rows): Promise<TestedPostgres> {
          const t = await setup(rows);
          return {
            ...t,
            run: (options, environment) => t.run(options, { ...settings, ...environment }),
            spawn: (options, environment) => t.spawn(options.split(' '), { ...settings, ...environment }),
            names: async () => (await t.names('cities', name)) ?? {},
            [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
          };
        },
        async stop() {},
      };
    },
    refused: {
      fields: { name: 'precious' },
      why: /short/,
      async prepare(t) {
        const { query } = t as TestedPostgres;
        await query(`ALTER TABLE cities ADD CONSTRAINT short CHECK (${name} <> 'precious')`);
      },
    },
    rollbackVoidsHeld: false,
    place: () => ({}),
  };
}

testSink('Postgres', adapterOf(`record->>'name'`, {}));

const columns = { SINK_COLUMNS: 'name text, pages bigint', SINK_RECORD: 'false' };
testSink('Postgres with columns', adapterOf('name', columns), ['changes', 'refused', 'history']);
