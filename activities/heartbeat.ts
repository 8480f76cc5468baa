/** Heartbeats of an activity that may take long. */
import type { Context } from '@temporalio/activity';

const EVERY_MS = 3_000;

export type Heartbeat = Pick<Context, 'heartbeat' | 'info'>;

/**
 * Sends a heartbeat every few seconds until disposed; asks `details` for its payload each time. A local activity needs
 * none: its worker answers for it by the workflow task.
 */
export function heartbeating(context: Heartbeat, details?: () => unknown): Disposable {
  const beat = () => {
    if (!context.info.isLocal) context.heartbeat(details?.());
  };
  const timer = setInterval(beat, EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
