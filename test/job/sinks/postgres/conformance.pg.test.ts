import { setup, type Setup } from '../../support/setup.ts';
import { testSink } from '../conformance/test-sink.ts';
import type { TestedSink } from '../conformance/tested-sink.ts';

type TestedPostgres = TestedSink & Pick<Setup, 'query'>;

testSink('Postgres', {
  async start() {
    return {
      async setup(rows): Promise<TestedPostgres> {
        const t = await setup(rows);
        return {
          ...t,
          spawn: (options, environment) => t.spawn(options.split(' '), environment),
          names: async () => (await t.names()) ?? {},
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
      await query(`ALTER TABLE cities ADD CONSTRAINT short CHECK (record->>'name' <> 'precious')`);
    },
  },
  place: () => ({}),
});
