/** What was refused to somebody known is written down too, in bounds: nobody fills the audit by asking again and again. */
import type { Context, MiddlewareHandler } from 'hono';
import { audit } from '../db/audit.ts';
import { maskCredentials } from '../domain/mask.ts';
import { callerOf } from './caller.ts';
import type { ApiEnv } from './context.ts';
import { LineBudget } from './line-budget.ts';
import { Problem } from './problem.ts';
import type { User } from './user.ts';

/** Lines a minute of one who asks, by each api process. */
const MOST = 60;
const MOST_OBJECT = 200;
const MOST_ITEMS = 20;
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
  readonly #budget = new LineBudget(MOST);

  /** A line, or one more that is left out. Never throws: the answer stands, whatever becomes of the line. */
  async note(c: Context<ApiEnv, string>, { object, detail, ...what }: Refused): Promise<void> {
    const caller = callerOf(c);
    const leftOut = this.#budget.take(c.var.user.id);
    if (leftOut === undefined) return;
    const line = {
      ...caller,
      ...what,
      object: maskCredentials(object.slice(0, MOST_OBJECT)),
      detail: leftOut === 0 ? detail : { ...detail, left_out_before: leftOut },
    };
    await audit(c.var.db, line).catch((error: unknown) => {
      c.var.log.warn({ err: error, request: c.var.requestId }, 'a refusal could not be written down');
    });
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
  await c.var.refusals.note(c, {
    verb,
    object: c.req.path,
    refused: 'items_refused',
    detail: { count: items.length, items: shown },
  });
}

/** On a route that does something: 403 and 409 are refusals; what was asked wrongly is none. */
export function notesRefusals(verb: string): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    const { error } = c;
    // Unset where nobody knows who asks.
    const { user } = c.var as { user?: User };
    if (!user || !(error instanceof Problem) || (error.status !== 403 && error.status !== 409)) return;
    const members = Object.entries(error.extras.members ?? {}).filter(([name]) => TELLING.includes(name));
    await c.var.refusals.note(c, {
      verb,
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
