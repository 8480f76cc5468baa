/** Sabotage against a Solr sink. */
import { createOtherCollection } from '../../support/solr/other-schema.ts';
import { startSolr } from '../../support/solr/solr.ts';
import { pausingProxy } from './pausing-proxy.ts';
import type { SinkServer } from './stage.ts';
import { sabotage } from './suite.ts';

async function startSolrSink(): Promise<SinkServer> {
  const solr = await startSolr();
  const proxy = await pausingProxy(solr.url);
  return {
    syncOptions: (target) => `--switch_solr_alias --target_env dev --target ${target}`,
    async prepare(target) {
      for (const place of ['a', 'b']) await solr.createCollection(`${target}_${place}`);
      await solr.alias(target, `${target}_a`);
      await solr.alias(`${target}-standby`, `${target}_b`);
      return { SINK: 'solr', SOLR_URL: proxy.url };
    },
    async names(target) {
      const found = await solr.documents(target);
      return Object.fromEntries(found.map(({ id, name }) => [id, String(name)]));
    },
    pauseSwitch: (target) =>
      proxy.pause(({ query }) => query['action'] === 'CREATEALIAS' && query['name'] === target),
    async misfit(target) {
      await createOtherCollection(solr, `${target}_c`);
      await solr.alias(`${target}-standby`, `${target}_c`);
      return {};
    },
    async stop() {
      await proxy[Symbol.asyncDispose]();
      await solr.stop();
    },
  };
}

sabotage('Solr', startSolrSink);
