import { startSolr } from '../../../support/solr/solr.ts';
import { type SolrSetup, solrSetup } from '../../support/solr-setup.ts';
import { testSink } from '../conformance/test-sink.ts';

testSink('Solr', {
  async start() {
    const solr = await startSolr();
    return { setup: (rows) => solrSetup(solr, rows), stop: () => solr.stop() };
  },
  refused: {
    fields: { pages: 'precious' },
    why: /^Solr: Solr refuses the value of the field 'pages'; check the field's type in the schema$/,
  },
  rollbackVoidsHeld: true,
  place: (t) => ({ SOLR_APP: (t as SolrSetup).app }),
});
