/** Answers 503 within two seconds when Postgres hangs, long before the driver gives up. */
import type { KyselyPlugin } from 'kysely';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../context.ts';
import { awayProblem } from './problem.ts';

const DEADLINE_MS = 1_800;

/**
 * Gives the request a database whose statements it times. Only time spent in Postgres counts: waiting for Temporal (whose
 * calls have deadlines) or for a turn does not.
 */
export const databaseDeadline: MiddlewareHandler<ApiEnv> = async (c, next) => {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const late = Promise.withResolvers<never>();
  const watch: KyselyPlugin = {
    transformQuery: ({ node }) => {
      clearTimeout(timer);
      // An event stream queries after its request is over.
      if (!isOver) timer = setTimeout(() => late.reject(awayProblem('postgres')), DEADLINE_MS);
      return node;
    },
    transformResult: ({ result }) => {
      clearTimeout(timer);
      return Promise.resolve(result);
    },
  };
  c.set('db', c.var.db.withPlugin(watch));
  try {
    await Promise.race([next(), late.promise]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
};
