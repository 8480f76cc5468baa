/** An event stream as a test reads it: its events so far, and a way to cut it. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { createParser } from 'eventsource-parser';
import { expect } from 'vitest';
import { signToken } from '../../src/api/auth/tokens.ts';
import { addUser } from '../../src/db/access/users.ts';
import { unlimited } from '../../src/domain/permission.ts';
import { type Api, justNow } from './support.ts';

/** @returns a token for the listener of this number: one user may open 50 streams, so there is a user for each 50 */
export async function oneOfMany(api: Api, n: number): Promise<string> {
  const username = `listener-${Math.floor(n / 50)}`;
  await addUser(
    api.db,
    { username, passwordHash: 'none', grant: unlimited('viewer') },
    { principal: 'test' },
  );
  const claims = { sub: username, authTime: justNow() };
  return await signToken(api.deps.config.secrets, claims);
}

export type Told = { event: string; id: string | undefined; data: any };

/**
 * @param options.app another api process' app
 * @param options.token another user's; null for none
 */
export async function openStream(
  api: Api,
  where: string,
  options: { lastEventId?: string | undefined; app?: Api['app']; token?: string | null } = {},
) {
  const cut = new AbortController();
  const answer = await (options.app ?? api.app).request(where, {
    headers: {
      ...(options.token === null ? {} : { authorization: `Bearer ${options.token ?? api.token}` }),
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
    },
    signal: cut.signal,
  });
  const told: Told[] = [];
  const parser = createParser({
    onEvent: ({ event = '', id, data }) => told.push({ event, id, data: JSON.parse(data) }),
  });
  let isOver = false;
  const reader = answer.body?.getReader();
  const done = (async () => {
    const decoder = new TextDecoder();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
      parser.feed(decoder.decode(part.value, { stream: true }));
    isOver = true;
  })();
  return {
    status: answer.status,
    told,
    isOver: () => isOver,
    statusesOf: (id: number) =>
      told.filter(({ event, data }) => event === 'job' && data.id === id).map(({ data }) => data.status),
    until: (event: string, fits: (data: any) => boolean = () => true) =>
      expect
        .poll(() => told.find((one) => one.event === event && fits(one.data)), {
          timeout: 5_000,
          interval: 10,
        })
        .toBeTruthy(),
    async [Symbol.asyncDispose]() {
      cut.abort();
      await reader?.cancel();
      await done;
    },
  };
}
