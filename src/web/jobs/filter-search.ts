/** Reads the job filter from the address, so that a filtered list can be shared as a link. Pure. */
import type { JobFilter } from '../../client/client.ts';

/** Parameters of the address: lists are separated by commas; unknown parameters are ignored. */
export type FilterSearch = {
  readonly status?: string;
  readonly operation?: string;
  readonly target?: string;
  readonly env?: string;
  readonly active?: boolean;
  readonly since?: string;
  readonly until?: string;
};

/** The longest target of RUNNER=external (EXTERNAL_TARGET_PATTERN); declared targets are shorter. */
const MAX_TARGET_LENGTH = 100;
const MAX_ENV_LENGTH = 40;
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
    target: text('target')?.slice(0, MAX_TARGET_LENGTH),
    env: text('env')?.slice(0, MAX_ENV_LENGTH),
    active: search['active'] === true ? true : undefined,
    since: time('since'),
    until: time('until'),
  });
}

/** The query of `GET /jobs`. */
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

/** Removes unset members, so that equal filters give equal query keys. */
function clean<T extends object>(of: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(of).filter(([, value]) => value !== undefined && value !== ''),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
