/** Reads the filter of the list of losses from the address, so that a filtered list can be shared as a link. Pure. */
import type { LossFilter } from '../../client/client.ts';

const STATUSES = ['waiting', 'resolved', 'all'] as const;

/** Parameters of the address; unknown parameters are ignored. Without a status, the sets that wait. */
export type LossSearch = {
  readonly target?: string;
  readonly env?: string;
  readonly status?: (typeof STATUSES)[number];
};

export function readLossSearch(search: Record<string, unknown>): LossSearch {
  const text = (name: string) => {
    const value = search[name];
    return typeof value === 'string' && value.trim() !== '' ? { [name]: value.trim().slice(0, 100) } : {};
  };
  const status = STATUSES.find((known) => known === search['status']);
  return { ...text('target'), ...text('env'), ...(status === undefined ? {} : { status }) };
}

/** The query of `GET /losses`. */
export function toLossFilter(search: LossSearch): LossFilter {
  return { status: 'waiting', ...search };
}
