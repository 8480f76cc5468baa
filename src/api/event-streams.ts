/** Server-Sent Events: how many may be open, how they stay open, how they end. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnv } from './context.ts';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from './problem.ts';

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is let go. */
const WRITE_MS = 30_000;

/** One event of a stream, as the document describes it. */
export function eventSchema<const E extends readonly [string, ...string[]]>(events: E) {
  return z.object({
    event: z.enum([...events, 'error']),
    id: z.string().optional().describe('For Last-Event-ID.'),
    data: z.string().describe('JSON.'),
  });
}

export type EventStream = {
  /** Aborted when the reader has gone or the process stops. */
  readonly signal: AbortSignal;
  /** Sends one event, JSON-encoded: no text of a program can break out of its frame. */
  send(event: { event: string; id?: string; data: unknown }): Promise<void>;
  /** Waits, with a heartbeat when it is due. */
  pause(ms: number): Promise<void>;
};

export class EventStreams {
  readonly #most: number;
  readonly #stopping: AbortSignal | undefined;
  #open = 0;

  constructor(options: { most: number; stopping: AbortSignal | undefined }) {
    this.#most = options.most;
    this.#stopping = options.stopping;
  }

  /** @throws Problem 503 when too many are open */
  open(c: Context<ApiEnv>, run: (stream: EventStream) => Promise<void>): Response {
    if (this.#open >= this.#most)
      throw new Problem(503, 'too_many_streams', `${this.#most} event streams are open already`, {
        headers: { 'retry-after': '10' },
      });
    this.#open += 1;
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (api) => {
      const gone = new AbortController();
      api.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, ...(this.#stopping ? [this.#stopping] : [])]);
      try {
        await run(eventStream(api, signal, () => gone.abort()));
      } catch (error) {
        if (signal.aborted) return;
        // The answer has begun: an event is the only way left to say it.
        c.var.log.error({ err: error, request: c.var.requestId }, 'event stream failed');
        await api.writeSSE({ event: 'error', data: JSON.stringify({ code: 'stream_failed' }) });
      } finally {
        this.#open -= 1;
      }
    });
  }
}

function eventStream(api: SSEStreamingApi, signal: AbortSignal, giveUp: () => void): EventStream {
  let lastWrite = Date.now();
  const bounded = async (write: Promise<unknown>) => {
    const timer = setTimeout(giveUp, WRITE_MS);
    try {
      await Promise.race([write, aborted(signal)]);
      lastWrite = Date.now();
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    signal,
    send: ({ event, id, data }) =>
      bounded(api.writeSSE({ event, ...(id === undefined ? {} : { id }), data: JSON.stringify(data) })),
    pause: async (ms) => {
      await wait(ms, undefined, { signal });
      if (Date.now() - lastWrite >= HEARTBEAT_MS) await bounded(api.write(': still here\n\n'));
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const tell = () => reject(new Error('the stream is over', { cause: signal.reason }));
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}
