/** Calls about who may do what and who did what: logins, permissions, maintenance, audit. */
import type { paths } from '../api-types.ts';
import { type Answer, type Http, nextPage } from '../http.ts';
import { filled, flag } from '../query.ts';
import type { AuditEntryJson } from '../types.ts';

/** Times as ISO-8601. An absent field does not narrow the list. */
export type AuditFilter = {
  readonly [K in 'principal' | 'verb' | 'object' | 'since' | 'until']?: string | undefined;
} & { readonly refused?: boolean | undefined; readonly limit?: number | undefined };

export type AuditPage = { readonly entries: readonly AuditEntryJson[]; readonly next: string | undefined };

export function accessCalls({ call }: Http) {
  return {
    login: async (username: string, password: string) =>
      (await call((routes) => routes.POST('/login', { body: { username, password } }))).data,
    /** Exchanges the token of a login for one that lasts longer. */
    renewLogin: async () => (await call((routes) => routes.POST('/login/renew'))).data,
    /** Shows whom the token belongs to and what they may do. */
    me: async () => (await call((routes) => routes.GET('/me'))).data,
    readMaintenance: async () => (await call((routes) => routes.GET('/maintenance-status'))).data,
    setMaintenance: async (paused: boolean, msg: string) =>
      (await call((routes) => routes.POST('/maintenance-status', { body: { paused, msg } }))).data,
    listMaintenance: async () => (await call((routes) => routes.GET('/maintenance-history'))).data,
    /** Lists who did what, newest first; for admins. */
    listAudit: async (filter: AuditFilter = {}): Promise<AuditPage> =>
      pageOf(await call((routes) => routes.GET('/audit', { params: { query: queryOf(filter) } }))),
    /** @param next `next` of a page of the audit */
    nextAudit: async (next: string): Promise<AuditPage> => {
      const querySerializer = () => new URL(next, 'http://page').search;
      return pageOf(await call((routes) => routes.GET('/audit', { querySerializer })));
    },
  };
}

type AuditQuery = NonNullable<paths['/audit']['get']['parameters']['query']>;

function queryOf({ refused, ...fields }: AuditFilter): AuditQuery {
  return filled({ ...fields, refused: flag(refused) });
}

function pageOf({ data, response }: Answer<AuditEntryJson[]>): AuditPage {
  return { entries: data, next: nextPage(response) };
}
