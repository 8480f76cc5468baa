/** Retries failed calls to Temporal, and never after the connection was closed. */
import { setTimeout as wait } from 'node:timers/promises';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** Upper bound of a retry's delay, which the end of the process may have to wait for. */
const MOST_DELAY_MS = 1_000;
/** A timer may be a little late. */
const SLACK_MS = 50;

export type CallRetries = {
  readonly interceptor: ReturnType<typeof makeGrpcRetryInterceptor>;
  /** Schedules no further retry, and returns once none is due. */
  end(): Promise<void>;
};

/**
 * Wraps the SDK's retries. On their own they continue by a timer after the connection was closed, where they throw an
 * error that nothing catches and that ends the process (grpc-retry.js of @temporalio/client).
 */
export function createCallRetries(): CallRetries {
  const usual = defaultGrpcRetryOptions();
  let isEnding = false;
  let lastDue = 0;
  const interceptor = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) => !isEnding && usual.retryableDecider(attempt, status),
    delayFunction(attempt, status) {
      const delay = Math.min(usual.delayFunction(attempt, status), MOST_DELAY_MS);
      lastDue = Math.max(lastDue, Date.now() + delay);
      return delay;
    },
  });
  return {
    interceptor,
    async end() {
      isEnding = true;
      const left = lastDue + SLACK_MS - Date.now();
      if (left > 0) await wait(left);
    },
  };
}
