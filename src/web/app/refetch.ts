/** Refetches the queries of open views except denied ones: no event changes a denial, and the server audits each one. */
import type { Query, QueryClient } from '@tanstack/react-query';
import { Refused } from '../../client/http.ts';

/** Whether the last response was a 403. The user retries by a button or a new visit. */
export function isForbidden({ state: { error } }: Query): boolean {
  return error instanceof Refused && error.status === 403;
}

/** @param queryKey prefix of the queries to refetch; all queries when empty */
export function refetch(
  cache: QueryClient,
  { queryKey = [], cancelRefetch = true }: { queryKey?: readonly string[]; cancelRefetch?: boolean },
): void {
  void cache.invalidateQueries({ queryKey, predicate: (query) => !isForbidden(query) }, { cancelRefetch });
}
