/** Answers 503 in two seconds when Postgres hangs, instead of waiting as long as the driver does. */
import type { KyselyPlugin } from 'kysely';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './context.ts';
import { awayProblem } from './problem.ts';

const DEADLINE_MS = 1_800;

/**
 * Gives the request a database of its own to watch: a request late because of Postgres is refused, one that
 * waits for Temporal (whose calls have deadlines) is not.
 */
export const databaseDeadline: MiddlewareHandler<ApiEnv> = async (c, next) => {
  let isAsking = false;
  const watch: KyselyPlugin = {
    transformQuery: ({ node }) => {
      isAsking = true;
      return node;
    },
    transformResult: ({ result }) => {
      isAsking = false;
      return Promise.resolve(result);
    },
  };
  c.set('db', c.var.db.withPlugin(watch));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      if (isAsking) reject(awayProblem('postgres'));
    }, DEADLINE_MS);
  });
  try {
    await Promise.race([next(), late]);
  } finally {
    clearTimeout(timer);
  }
};
