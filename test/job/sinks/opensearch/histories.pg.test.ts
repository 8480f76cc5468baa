import { openSearchServer } from '../../../faults/sink-kill/search-place.ts';
import { testHistories } from '../histories/test-histories.ts';

testHistories('OpenSearch', openSearchServer);
