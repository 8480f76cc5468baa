/** What was refused to somebody known is written down too, in bounds: nobody fills the audit by asking again and again. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context, MiddlewareHandler } from 'hono';
import { audit } from '../db/audit.ts';
import { maskCredentials } from '../domain/mask.ts';
import { originOf } from './caller.ts';
import type { ApiEnv } from './context.ts';
import { LineBudget } from './line-budget.ts';
import { Problem } from './problem.ts';
import type { Subject, User } from './user.ts';

/** Lines of one who asks, by each api process: so many at once, then one a minute. */
const BUDGET = { most: 60, everyMs: 60_000 };
const MOST_OBJECT = 200;
const MOST_ITEMS = 20;
/** An answer waits no longer for its line, which is written all the same. */
const PATIENCE_MS = 1_000;
/** What of a problem says more than its words. */
const TELLING = ['needs', 'outside', 'holder'];

type Refused = {
  readonly verb: string;
  readonly object: string;
  /** Of the problem. */
  readonly refused: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** One for an app. */
export class Refusals {
  readonly #budget = new LineBudget(BUDGET);

  /** A line, or one more that is left out. Never throws: the answer stands, whatever becomes of the line. */
  async note(
    c: Context<ApiEnv, string>,
    { id, shown }: Subject,
    { object, detail, ...what }: Refused,
  ): Promise<void> {
    const leftOut = this.#budget.take(id);
    if (leftOut === undefined) return;
    const line = {
      principal: shown,
      origin: originOf(c),
      ...what,
      object: maskCredentials(object.slice(0, MOST_OBJECT)),
      detail: leftOut === 0 ? detail : { ...detail, left_out_before: leftOut },
    };
    const written = audit(c.var.db, line).catch((error: unknown) => {
      c.var.log.warn({ err: error }, 'a refusal could not be written down');
    });
    await Promise.race([written, wait(PATIENCE_MS, undefined, { ref: false })]);
  }
}

/** Of many asked for at once, those that were refused, in one line. */
export async function noteRefusedItems(
  c: Context<ApiEnv, string>,
  of: { verb: string; items: readonly { readonly item: string | number; readonly msg: string }[] },
): Promise<void> {
  const { verb, items } = of;
  if (items.length === 0) return;
  const shown = items.slice(0, MOST_ITEMS).map(({ item, msg }) => ({ item, msg: msg.slice(0, MOST_OBJECT) }));
  await c.var.refusals.note(c, c.var.user, {
    verb,
    object: c.req.path,
    refused: 'items_refused',
    detail: { count: items.length, items: shown },
  });
}

/**
 * Tokens that are good no longer, of whomever they name (401), on every route; on those that do something also who may
 * not (403) and what stands against it (409). What was asked wrongly is no refusal, and nor is what nobody known asked.
 * @param verb undefined on a route that is a mere look
 */
export function notesRefusals(verb: string | undefined): MiddlewareHandler<ApiEnv> {
  const noted = verb === undefined ? [401] : [401, 403, 409];
  return async (c, next) => {
    await next();
    const { error } = c;
    if (!(error instanceof Problem) || !noted.includes(error.status)) return;
    // Neither is there where nobody knows who asks.
    const { user } = c.var as { user?: User };
    const subject = error.extras.subject ?? (error.status === 401 ? undefined : user);
    if (!subject) return;
    const members = Object.entries(error.extras.members ?? {}).filter(([name]) => TELLING.includes(name));
    await c.var.refusals.note(c, subject, {
      verb: verb ?? 'read',
      object: objectOf(c),
      refused: error.code,
      detail: { path: c.req.path, message: error.message, ...Object.fromEntries(members) },
    });
  };
}

/** As accepted calls name it, as far as the path tells. */
function objectOf(c: Context): string {
  const [, first = '', second = ''] = c.req.path.split('/');
  const kind = {
    jobs: 'job',
    schedules: 'schedule',
    'importable-datasets': 'dataset',
    sync_jobs: 'sync job',
  }[first];
  if (first === 'maintenance-status') return 'maintenance';
  return kind === undefined || second === '' ? c.req.path : `${kind} ${decodeURIComponent(second)}`;
}
