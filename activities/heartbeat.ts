/** The sign of life of an activity that may take long. */
import type { Context } from '@temporalio/activity';

const EVERY_MS = 3_000;

/** Tells Temporal every few seconds that the activity is at it, until disposed of; `details` are asked for each time. */
export function heartbeating(context: Pick<Context, 'heartbeat'>, details?: () => unknown): Disposable {
  const timer = setInterval(() => context.heartbeat(details?.()), EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
