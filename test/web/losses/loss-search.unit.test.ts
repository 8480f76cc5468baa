/** The list of losses reads its filter from the address. */
import { expect, test } from 'vitest';
import { readLossSearch, toLossFilter } from '../../../src/web/losses/loss-search.ts';

test('a filter in the address is kept; unknown and empty parameters are ignored', () => {
  expect(readLossSearch({ target: ' cities ', env: '', status: 'all', page: 2 })).toEqual({
    target: 'cities',
    status: 'all',
  });
  expect(readLossSearch({ status: 'lost', target: 7 })).toEqual({});
});

test('without a status the list shows the sets that wait', () => {
  expect(toLossFilter({ env: 'prd' })).toEqual({ env: 'prd', status: 'waiting' });
  expect(toLossFilter({ status: 'resolved' })).toEqual({ status: 'resolved' });
});
