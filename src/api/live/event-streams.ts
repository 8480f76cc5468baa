/** Server-Sent Events: heartbeats, lifetime, slow readers, and repeated permission checks. */
import { z } from '@hono/zod-openapi';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ApiEnv, StreamBounds } from '../context.ts';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { setTimeout as wait } from 'node:timers/promises';
import { mayStillLook } from '../auth/access.ts';
import { streamCaller, StreamSlots } from './stream-slots.ts';
import { TOKEN_SECONDS } from '../auth/tokens.ts';

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long loses its connection. */
const WRITE_MS = 30_000;
/** Interval of permission checks: below a minute, including the time of a check. */
const LOOK_AGAIN_MS = 45_000;
/** Size of one write: each is a system call per listener, and must be taken within WRITE_MS. */
const WRITE_CHARACTERS = 64 * 1024;
/** Lifetime of a stream, that of a token; clients reconnect with a newer token. */
const LIFE_MS = TOKEN_SECONDS * 1000;

/** The schema of one event, for the OpenAPI document. */
export function eventSchema<const E extends readonly [string, ...string[]]>(events: E) {
  return z
    .object({
      event: z.enum([...events, 'error']).describe('The type of the event.'),
      id: z.string().optional().describe('Send it as Last-Event-ID to resume after this event.'),
      data: z.string().describe('The payload, as JSON.'),
    })
    .openapi({ example: { event: events[0], id: '0', data: '{}' } });
}

/** Formats an event. @param event.json without a line break, as JSON.stringify makes it */
export function frameOf({ event, id, json }: { event: string; id?: string; json: string }): string {
  return `event: ${event}\ndata: ${json}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

export type EventStream = {
  /** Aborted when the reader disconnects or the process stops. */
  readonly signal: AbortSignal;
  /** Sends one event as JSON, so that no text of a program can break out of its frame. */
  send(event: { event: string; id?: string; data: unknown }): Promise<void>;
  /** Sends formatted frames, many in one write. */
  sendFrames(frames: readonly string[]): Promise<void>;
  /** Waits, then sends a heartbeat if one is due. */
  pause(ms: number): Promise<void>;
  /** Waits for a promise, sending heartbeats. */
  until(wake: Promise<void>): Promise<void>;
};

export class EventStreams {
  readonly #slots: StreamSlots;
  readonly #stopping: AbortSignal | undefined;
  readonly #writeMs: number;
  readonly #lookAgainMs: number;

  constructor(
    options: StreamBounds & {
      stopping: AbortSignal | undefined;
      onCount?: ((open: number) => void) | undefined;
    },
  ) {
    this.#slots = new StreamSlots(options);
    this.#stopping = options.stopping;
    this.#writeMs = options.writeMs ?? WRITE_MS;
    this.#lookAgainMs = options.lookAgainMs ?? LOOK_AGAIN_MS;
  }

  /** Opens a stream; a HEAD gets only the headers. @throws Problem 503, 429 if too many are open */
  open(c: Context<ApiEnv, string>, run: (stream: EventStream) => Promise<void>): Response {
    c.header('X-Accel-Buffering', 'no');
    if (c.req.method === 'HEAD')
      return c.body(null, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    const giveBack = this.#slots.take(streamCaller(c));
    return streamSSE(c, async (api) => {
      const gone = new AbortController();
      api.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, ...(this.#stopping ? [this.#stopping] : [])]);
      const life = setTimeout(() => gone.abort(), LIFE_MS);
      const giveUp = () => {
        gone.abort();
        cut(c);
      };
      const stream = eventStream(api, { signal, giveUp, writeMs: this.#writeMs });
      const looks = this.#lookAgain(c, stream, () => gone.abort());
      try {
        await run(stream);
      } catch (error) {
        if (signal.aborted) return;
        // The answer has started, so only an event can report the error.
        c.var.log.error({ err: error }, 'event stream failed');
        await stream.send({ event: 'error', data: { code: 'stream_failed' } }).catch(() => undefined); // the reader has disconnected
      } finally {
        clearTimeout(life);
        clearInterval(looks);
        giveBack();
        cutLater(c, this.#writeMs);
      }
    });
  }

  /** Ends the stream once its caller lost the permission to read; a reconnect is answered with the reason. */
  #lookAgain(c: Context<ApiEnv, string>, stream: EventStream, end: () => void): NodeJS.Timeout {
    const look = async () => {
      const refused = await mayStillLook(c);
      if (!refused || stream.signal.aborted) return;
      c.var.log.info({ code: refused.code }, 'event stream ended: its caller lost the permission to read');
      await stream.send({ event: 'error', data: { code: refused.code } }).catch(() => undefined); // the reader has disconnected
      end();
    };
    return setInterval(() => {
      look().catch((error: unknown) =>
        c.var.log.warn({ err: error }, 'cannot check the permissions of a listener again'),
      );
    }, this.#lookAgainMs);
  }
}

/** Destroys the connection; its reader reads nothing any more. */
function cut(c: Context): void {
  // Without a socket (app.request in tests) there is nothing to cut.
  const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
  outgoing?.destroy();
}

/** Destroys the connection if its reader does not take the end either. */
function cutLater(c: Context, ms: number): void {
  const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
  if (!outgoing || outgoing.destroyed || outgoing.writableFinished) return;
  const timer = setTimeout(() => outgoing.destroy(), ms);
  timer.unref();
  // After a complete answer the connection may be reused.
  for (const event of ['finish', 'close']) outgoing.once(event, () => clearTimeout(timer));
}

type Reader = { readonly signal: AbortSignal; readonly giveUp: () => void; readonly writeMs: number };

function eventStream(api: SSEStreamingApi, { signal, giveUp, writeMs }: Reader): EventStream {
  let lastWrite = Date.now();
  const write = async (text: string) => {
    const timer = setTimeout(giveUp, writeMs);
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
        const heartbeat = Promise.withResolvers<boolean>();
        const timer = setTimeout(() => heartbeat.resolve(false), HEARTBEAT_MS);
        isAwake = await untilAborted(Promise.race([woken, heartbeat.promise]), signal).finally(() =>
          clearTimeout(timer),
        );
      }
    },
  };
}

/** Awaits work. @throws Error once the signal aborts; removes its listener, so repeated calls do not leak */
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
