/** The token that opens the API: the one that was given, or one fetched for user and password and renewed in time. */

import { z } from 'zod';
import type { Log } from '../log.ts';
import type { Credentials } from './account-settings.ts';
import { tried } from './tries.ts';
import { callUpstream, type Upstream } from './upstream-call.ts';
import { UpstreamFault } from './upstream-fault.ts';

export type AccessToken = {
  /** One that is good for a while yet. @throws UpstreamFault when none is to be had */
  get(): Promise<string>;
  /** The API refused this one. @returns whether `get` may have a better one */
  refused(token: string): boolean;
};

/** Renewed so long before it expires, or after half its life if that is shorter. */
const MARGIN_MS = 30_000;

const grant = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/, 'is no token'),
  expires_in: z.number().positive(),
  token_type: z
    .string()
    .regex(/^bearer$/i, 'is not bearer')
    .optional(),
});

export function createAccessToken(credentials: Credentials, upstream: Upstream, log: Log): AccessToken {
  if (credentials.kind === 'token') {
    return { get: () => Promise.resolve(credentials.token), refused: () => false };
  }
  const { user, password, retryMs } = credentials;
  let held: { token: string; goodUntil: number } | null = null;
  let renewals = 0;

  async function fetchToken(): Promise<string> {
    const asked = performance.now();
    const json = { grant_type: 'password', username: user, password, scope: 'default' };
    // The interval is from try to try: what a silent API takes of it is not waited for again.
    const pauseMs = (_: number, tookMs: number): number => Math.max(0, retryMs - tookMs);
    const granted = await tried({ pauseMs, log, stop: upstream.stop }, () =>
      callUpstream(upstream, { path: 'auth', json, schema: grant }),
    ).catch(refusal);
    const lifeMs = granted.expires_in * 1000;
    held = { token: granted.access_token, goodUntil: asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2) };
    log.debug(`token fetched, good for ${granted.expires_in} s`);
    return held.token;
  }

  return {
    async get() {
      if (held && performance.now() < held.goodUntil) return held.token;
      return await fetchToken();
    },
    refused(token) {
      if (held?.token === token) held = null;
      renewals += 1;
      return renewals === 1;
    },
  };
}

/** OAuth answers 400 for a wrong password (RFC 6749, 5.2). */
function refusal(error: unknown): never {
  if (error instanceof UpstreamFault && error.status === 400) {
    throw new UpstreamFault('unauthorized', error.message, { cause: error, status: 400 });
  }
  throw error;
}
