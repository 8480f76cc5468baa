/** Asks like any client, and keeps every answer whole: a secret may stand in any of them. */

export type Asked = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | URLSearchParams;
};

export type Told = { readonly status: number; readonly text: string };

export type Asker = {
  /** @throws Error when there is no answer in time */
  ask(method: string, route: string, asked?: Asked): Promise<Told>;
  /** Everything that was answered: the status, the headers, the body. */
  answers(): string[];
};

const LIMIT_MS = 15_000;

/** @param urls asked in turn */
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
      });
      const text = await answer.text();
      // A token is what a login is for.
      if (!(route.startsWith('/login') && answer.ok))
        kept.push(
          `${method} ${route.split('?')[0]} ${answer.status} ${JSON.stringify([...answer.headers])} ${text}`,
        );
      return { status: answer.status, text };
    },
  };
}
