/** Server-Sent Events: how many may be open, how they stay open, how they end. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnv } from './context.ts';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from './problem.ts';
import { TOKEN_SECONDS } from './tokens.ts';

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is let go. */
const WRITE_MS = 30_000;
/** A stream lives no longer than the token that opened it; who listens on comes back with a newer one. */
const LIFE_MS = TOKEN_SECONDS * 1000;

/** One event of a stream, as the document describes it. */
export function eventSchema<const E extends readonly [string, ...string[]]>(events: E) {
  return z
    .object({
      event: z.enum([...events, 'error']),
      id: z.string().optional().describe('For Last-Event-ID.'),
      data: z.string().describe('JSON.'),
    })
    .openapi({ example: { event: events[0], id: '0', data: '{}' } });
}

export function tooManyStreams(open: number): Problem {
  return new Problem(503, 'too_many_streams', `${open} event streams are open already`, {
    headers: { 'retry-after': '10' },
  });
}

export type EventStream = {
  /** Aborted when the reader has gone or the process stops. */
  readonly signal: AbortSignal;
  /** Sends one event, JSON-encoded: no text of a program can break out of its frame. */
  send(event: { event: string; id?: string; data: unknown }): Promise<void>;
  /** The same for what is JSON already. */
  sendJson(event: { event: string; id?: string; json: string }): Promise<void>;
  /** Waits, with a heartbeat when it is due. */
  pause(ms: number): Promise<void>;
  /** Waits for a promise, with heartbeats. */
  until(wake: Promise<void>): Promise<void>;
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
    if (this.#open >= this.#most) throw tooManyStreams(this.#most);
    this.#open += 1;
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (api) => {
      const gone = new AbortController();
      api.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, ...(this.#stopping ? [this.#stopping] : [])]);
      const life = setTimeout(() => gone.abort(), LIFE_MS);
      try {
        await run(eventStream(api, signal, () => gone.abort()));
      } catch (error) {
        if (signal.aborted) return;
        // The answer has begun: an event is the only way left to say it.
        c.var.log.error({ err: error, request: c.var.requestId }, 'event stream failed');
        await api.writeSSE({ event: 'error', data: JSON.stringify({ code: 'stream_failed' }) });
      } finally {
        clearTimeout(life);
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
      await untilAborted(write, signal);
      lastWrite = Date.now();
    } finally {
      clearTimeout(timer);
    }
  };
  const beat = async () => {
    if (Date.now() - lastWrite >= HEARTBEAT_MS) await bounded(api.write(': still here\n\n'));
  };
  const sendJson: EventStream['sendJson'] = ({ event, id, json }) =>
    bounded(api.writeSSE({ event, ...(id === undefined ? {} : { id }), data: json }));
  return {
    signal,
    sendJson,
    send: ({ data, ...event }) => sendJson({ ...event, json: JSON.stringify(data) }),
    pause: async (ms) => {
      await wait(ms, undefined, { signal });
      await beat();
    },
    until: async (wake) => {
      let awake = false;
      const woken = wake.then(() => {
        awake = true;
      });
      while (!awake) {
        const cut = new AbortController();
        const dozed = wait(HEARTBEAT_MS, undefined, { signal: cut.signal }).catch(() => undefined); // woken: over
        await untilAborted(Promise.race([woken, dozed]), signal).finally(() => cut.abort());
        await beat();
      }
    },
  };
}

/** @throws Error once the signal aborts; leaves nothing behind on it otherwise, however often it is called */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = Promise.withResolvers<never>();
  const tell = () => over.reject(new Error('the stream is over', { cause: signal.reason }));
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    signal.removeEventListener('abort', tell);
  }
}
