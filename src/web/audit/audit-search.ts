/** Reads the audit filter from the address, so that a filtered audit can be shared as a link. Pure. */
import type { AuditFilter } from '../../client/client.ts';

/** Parameters of the address; unknown parameters are ignored. */
export type AuditSearch = {
  readonly principal?: string;
  readonly verb?: string;
  readonly object?: string;
  readonly refused?: boolean;
  readonly since?: string;
  readonly until?: string;
};

const PAGE = 100;

export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  const text = (name: string, most: number) => {
    const value = search[name];
    const words = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    return words === '' ? {} : { [name]: words.slice(0, most) };
  };
  const time = (name: string) => (Number.isNaN(Date.parse(String(search[name]))) ? {} : text(name, 40));
  return {
    ...text('principal', 400),
    ...text('verb', 40),
    ...text('object', 300),
    ...(search['refused'] === true ? { refused: true } : {}),
    ...time('since'),
    ...time('until'),
  };
}

/** The query of `GET /audit`. */
export function toAuditFilter({ since, until, ...same }: AuditSearch): AuditFilter {
  return {
    ...same,
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    limit: PAGE,
  };
}
