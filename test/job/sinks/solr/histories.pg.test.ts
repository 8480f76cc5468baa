import { solrServer } from '../../../faults/sink-kill/search-place.ts';
import { testHistories } from '../histories/test-histories.ts';

testHistories('Solr', solrServer);
