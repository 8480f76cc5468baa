/** Writes denied requests into the audit, within limits: repeated requests cannot fill it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context, MiddlewareHandler } from 'hono';
import { audit } from '../../db/access/audit.ts';
import { maskCredentials } from '../../domain/mask.ts';
import { knownUser, networkOfCaller, requestOrigin } from './request-origin.ts';
import type { ApiEnv, Denials, Denied, Noted } from '../context.ts';
import { LineBudget } from './rate-limit.ts';
import { Problem } from '../http/problem.ts';
import type { Subject } from './user.ts';

/** Entries per caller and per network in this process: a burst, then one a minute. */
const BUDGET = { most: 60, everyMs: 60_000 };
/** Entries of all anonymous callers together, because an attacker has many networks. */
const ANONYMOUS = { most: 300, everyMs: 10_000 };
const UNKNOWN_CALLER = { id: 'nobody known', shown: 'nobody known' };
const MOST_OBJECT = 200;
const MOST_ITEMS = 20;
/** An answer waits this long for its audit entry, which is written even if it takes longer. */
const PATIENCE_MS = 1_000;
/** Members of a problem that the audit keeps beside its message. */
const AUDITED_MEMBERS = ['needs', 'outside', 'holder'];

/** One instance serves the whole app, so that its limits hold for all routes. */
export class DenialAudit implements Denials {
  readonly #budget = new LineBudget(BUDGET);
  readonly #anonymous = new LineBudget(ANONYMOUS);

  async note(c: Context<ApiEnv, string>, { id, shown }: Subject, denied: Denied): Promise<void> {
    await this.#write(c, { shown, leftOut: this.#budget.take(id) }, () => denied);
  }

  /** Counts against the limits of the caller's network and of all anonymous callers. */
  async noteAnonymous(c: Context<ApiEnv, string>, denied: () => Promise<Denied> | Denied): Promise<void> {
    const ofNetwork = this.#budget.take(`network ${networkOfCaller(c)}`);
    const ofAll = ofNetwork === undefined ? undefined : this.#anonymous.take(UNKNOWN_CALLER.id);
    const leftOut = ofAll === undefined ? undefined : Math.max(ofAll, ofNetwork ?? 0);
    await this.#write(c, { shown: UNKNOWN_CALLER.shown, leftOut }, denied);
  }

  async noteLogin(c: Context<ApiEnv, string>, username: string): Promise<void> {
    const leftOut = this.#budget.take(`login ${username}`);
    const line = { verb: 'login', object: `user ${username}`, detail: {} };
    await this.#write(c, { shown: username, leftOut }, () => line);
  }

  async #write(
    c: Context<ApiEnv, string>,
    by: { shown: string; leftOut: number | undefined },
    entry: () => Promise<Noted> | Noted,
  ): Promise<void> {
    const { shown, leftOut } = by;
    if (leftOut === undefined) return;
    const write = async () => {
      const { object, detail, ...what } = await entry();
      const all = leftOut === 0 ? detail : { ...detail, left_out_before: leftOut };
      await audit(c.var.db, {
        principal: shown,
        origin: requestOrigin(c),
        ...what,
        object: maskCredentials(object).slice(0, MOST_OBJECT),
        ...(Object.keys(all).length === 0 ? {} : { detail: all }),
      });
    };
    const written = write().catch((error: unknown) => {
      c.var.log.warn({ err: error }, 'cannot write an audit entry');
    });
    await Promise.race([written, wait(PATIENCE_MS, undefined, { ref: false })]);
  }
}

/** Audits the refused items of a request for many in one entry. */
export async function auditDeniedItems(
  c: Context<ApiEnv, string>,
  of: { verb: string; items: readonly { readonly item: string | number; readonly msg: string }[] },
): Promise<void> {
  const { verb, items } = of;
  if (items.length === 0) return;
  const shown = items
    .slice(0, MOST_ITEMS)
    .map(({ item, msg }) => ({ item, msg: maskCredentials(msg).slice(0, MOST_OBJECT) }));
  await c.var.denials.note(c, c.var.user, {
    verb,
    object: c.req.path,
    refused: 'items_refused',
    detail: { count: items.length, items: shown },
  });
}

/**
 * Audits 401s for expired or revoked tokens on every route, and 403s and 409s on routes that write. Malformed requests and
 * requests without a credential are not audited.
 * @param verb undefined on a route that only reads
 */
export function auditDenials(verb: string | undefined): MiddlewareHandler<ApiEnv> {
  const noted = verb === undefined ? [401] : [401, 403, 409];
  return async (c, next) => {
    await next();
    const { error } = c;
    if (!(error instanceof Problem) || !noted.includes(error.status)) return;
    if (error.extras.anonymous) return await noteCredential(c, verb ?? 'read', error);
    const user = knownUser(c);
    const subject = error.extras.subject ?? (error.status === 401 ? undefined : user);
    if (!subject) return;
    const members = Object.entries(error.extras.members ?? {}).filter(([name]) =>
      AUDITED_MEMBERS.includes(name),
    );
    await c.var.denials.note(c, subject, {
      verb: verb ?? 'read',
      object: objectOf(c),
      refused: error.code,
      detail: { path: c.req.path, message: error.message, ...Object.fromEntries(members) },
    });
  };
}

/**
 * Counts an unknown credential and audits it. Tokens of people are only counted: a page that was left open overnight
 * sends its expired token too.
 */
export async function noteCredential(
  c: Context<ApiEnv, string>,
  verb: string,
  problem: Problem,
): Promise<void> {
  const { anonymous: kind } = problem.extras;
  if (kind === undefined) return;
  c.var.measures?.credentialRefused(kind);
  if (kind === 'token') return;
  const denied = { verb, object: objectOf(c), refused: problem.code, detail: { path: c.req.path, kind } };
  await c.var.denials.noteAnonymous(c, () => denied);
}

/** Names the object as the entries of accepted requests do, as far as the path shows it. */
function objectOf(c: Context): string {
  const [, first = '', second = ''] = c.req.path.split('/');
  const kind = {
    jobs: 'job',
    losses: 'loss',
    next: 'target',
    schedules: 'schedule',
    'importable-datasets': 'dataset',
    sync_jobs: 'sync job',
  }[first];
  if (first === 'maintenance-status') return 'maintenance';
  return kind === undefined || second === '' ? c.req.path : `${kind} ${decodeURIComponent(second)}`;
}
