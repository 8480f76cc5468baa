/** Sends requests like any client, and keeps every whole answer: any of them may contain a secret. */

import { setTimeout as wait } from 'node:timers/promises';

export type Asked = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | URLSearchParams;
};

export type Told = { readonly status: number; readonly text: string };

export type Asker = {
  /** @throws Error if no answer comes in time */
  ask(method: string, route: string, asked?: Asked): Promise<Told>;
  /** The whole answer: status, headers, body. */
  answers(): string[];
};

const LIMIT_MS = 15_000;
/** Reading of an event stream ends after this silence. */
const SILENT_MS = 500;

/** @param urls used in turn */
export function createAsker(urls: readonly string[]): Asker {
  const kept: string[] = [];
  let turn = 0;
  return {
    answers: () => kept,
    async ask(method, route, { token, headers = {}, json, body } = {}) {
      const sent = json === undefined ? body : JSON.stringify(json);
      const answer = await fetch(`${urls[turn++ % urls.length]}${route}`, {
        method,
        redirect: 'manual',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent === undefined ? {} : { body: sent }),
        signal: AbortSignal.timeout(LIMIT_MS),
      }).catch((error: unknown) => {
        throw new Error(`${method} ${route} has no answer within ${LIMIT_MS / 1000} s`, { cause: error });
      });
      const text = await readText(answer);
      // A login's answer contains a token on purpose.
      if (!(route.startsWith('/login') && answer.ok))
        kept.push(
          `${method} ${route.split('?')[0]} ${answer.status} ${JSON.stringify([...answer.headers])} ${text}`,
        );
      return { status: answer.status, text };
    },
  };
}

/** Reads a whole answer; of an endless stream, what comes at once. */
async function readText(answer: Response): Promise<string> {
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return await answer.text();
  const body: ReadableStream<Uint8Array> | null = answer.body;
  const reader = body?.getReader();
  let text = '';
  for (const decoder = new TextDecoder(); ; ) {
    const part = await Promise.race([reader?.read(), wait(SILENT_MS)]);
    if (!part || part.done) break;
    text += decoder.decode(part.value, { stream: true });
  }
  await reader?.cancel();
  return text;
}
