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
/** So much is written at once: each write is a system call for each listener, and must be taken within the time above. */
const WRITE_CHARACTERS = 64 * 1024;
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

/** An event as it is sent. @param event.json without a line break, as JSON.stringify makes it */
export function frameOf({ event, id, json }: { event: string; id?: string; json: string }): string {
  return `event: ${event}\ndata: ${json}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

export type EventStream = {
  /** Aborted when the reader has gone or the process stops. */
  readonly signal: AbortSignal;
  /** Sends one event, JSON-encoded: no text of a program can break out of its frame. */
  send(event: { event: string; id?: string; data: unknown }): Promise<void>;
  /** The same for frames that are made already, many in one write. */
  sendFrames(frames: readonly string[]): Promise<void>;
  /** Waits, with a heartbeat when it is due. */
  pause(ms: number): Promise<void>;
  /** Waits for a promise, with heartbeats. */
  until(wake: Promise<void>): Promise<void>;
};

export class EventStreams {
  readonly #most: number;
  readonly #stopping: AbortSignal | undefined;
  readonly #onCount: ((open: number) => void) | undefined;
  #open = 0;

  constructor(options: {
    most: number;
    stopping: AbortSignal | undefined;
    onCount?: ((open: number) => void) | undefined;
  }) {
    this.#most = options.most;
    this.#stopping = options.stopping;
    this.#onCount = options.onCount;
  }

  #count(change: 1 | -1): void {
    this.#open += change;
    this.#onCount?.(this.#open);
  }

  /** @throws Problem 503 when too many are open */
  open(c: Context<ApiEnv>, run: (stream: EventStream) => Promise<void>): Response {
    if (this.#open >= this.#most) throw tooManyStreams(this.#most);
    this.#count(1);
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (api) => {
      const gone = new AbortController();
      api.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, ...(this.#stopping ? [this.#stopping] : [])]);
      const life = setTimeout(() => gone.abort(), LIFE_MS);
      const stream = eventStream(api, signal, () => gone.abort());
      try {
        await run(stream);
      } catch (error) {
        if (signal.aborted) return;
        // The answer has begun: an event is the only way left to say it.
        c.var.log.error({ err: error }, 'event stream failed');
        await stream.send({ event: 'error', data: { code: 'stream_failed' } }).catch(() => undefined); // it has gone too
      } finally {
        clearTimeout(life);
        this.#count(-1);
      }
    });
  }
}

function eventStream(api: SSEStreamingApi, signal: AbortSignal, giveUp: () => void): EventStream {
  let lastWrite = Date.now();
  const write = async (text: string) => {
    const timer = setTimeout(giveUp, WRITE_MS);
    try {
      await untilAborted(api.write(text), signal);
      lastWrite = Date.now();
    } finally {
      clearTimeout(timer);
    }
  };
  const beat = async () => {
    if (Date.now() - lastWrite >= HEARTBEAT_MS) await write(': still here\n\n');
  };
  return {
    signal,
    send: ({ data, ...event }) => write(frameOf({ ...event, json: JSON.stringify(data) })),
    sendFrames: async (frames) => {
      let text = '';
      for (const frame of frames) {
        text += frame;
        if (text.length < WRITE_CHARACTERS) continue;
        await write(text);
        text = '';
      }
      if (text !== '') await write(text);
    },
    pause: async (ms) => {
      await wait(ms, undefined, { signal });
      await beat();
    },
    until: async (wake) => {
      const woken = wake.then(() => true);
      for (let isAwake = false; !isAwake; await beat()) {
        const dozed = Promise.withResolvers<boolean>();
        const timer = setTimeout(() => dozed.resolve(false), HEARTBEAT_MS);
        isAwake = await untilAborted(Promise.race([woken, dozed.promise]), signal).finally(() =>
          clearTimeout(timer),
        );
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
