/** The filter of the list of jobs as an address holds it, so that a list can be shared. Pure. */
import type { JobFilter } from '../../client/client.ts';

/** As in the address: lists by commas; what is not ours is left out. */
export type FilterSearch = {
  readonly status?: string;
  readonly operation?: string;
  readonly target?: string;
  readonly env?: string;
  readonly active?: boolean;
  readonly since?: string;
  readonly until?: string;
};

const WORDS = /^[\w-]{1,40}(,[\w-]{1,40})*$/;

export function readFilter(search: Record<string, unknown>): FilterSearch {
  const text = (name: string) => {
    const value = search[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const words = (name: string) => (WORDS.test(text(name) ?? '') ? text(name) : undefined);
  const time = (name: string) => (Number.isNaN(Date.parse(text(name) ?? '')) ? undefined : text(name));
  return clean({
    status: words('status'),
    operation: words('operation'),
    target: text('target')?.slice(0, 40),
    env: text('env')?.slice(0, 40),
    active: search['active'] === true ? true : undefined,
    since: time('since'),
    until: time('until'),
  });
}

/** What the server is asked. */
export function toFilter(search: FilterSearch): JobFilter {
  return clean({
    status: search.status?.split(','),
    operation: search.operation?.split(','),
    target: search.target,
    env: search.env,
    ignoreCompleted: search.active,
    since: search.since && new Date(search.since).toISOString(),
    until: search.until && new Date(search.until).toISOString(),
    limit: 100,
  });
}

/** Without what is not set, so that equal filters are equal keys. */
function clean<T extends object>(of: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(of).filter(([, value]) => value !== undefined && value !== ''),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
