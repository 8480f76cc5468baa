/**
 * The bearer token of the account API: a configured one, or one fetched with user and password and renewed in
 * time.
 */
import { z } from 'zod';
import type { Log } from '../../log.ts';
import type { Credentials } from './account-settings.ts';
import { withRetries } from './retry.ts';
import { callUpstream, type Upstream } from './upstream-call.ts';
import { HttpFault } from '../../http/http-fault.ts';

export type AccessToken = {
  /** Returns a token that is still valid for a while. @throws HttpFault if none can be fetched */
  get(): Promise<string>;
  /** Call when the API refused the token. @returns whether `get` may return another one */
  refused(token: string): boolean;
};

/** A token is renewed this long before it expires, or after half its lifetime if that is shorter. */
const MARGIN_MS = 30_000;

const grant = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/, 'is not a token'),
  expires_in: z.number().positive(),
  token_type: z
    .string()
    .regex(/^bearer$/i, 'is not bearer')
    .optional(),
});

export function createAccessToken(credentials: Credentials, upstream: Upstream, log: Log): AccessToken {
  if (credentials.kind === 'token')
    return { get: () => Promise.resolve(credentials.token), refused: () => false };
  const { user, password, retryMs } = credentials;
  let held: { token: string; goodUntil: number } | null = null;
  let renewals = 0;

  async function fetchToken(): Promise<string> {
    const asked = performance.now();
    const json = { grant_type: 'password', username: user, password, scope: 'default' };
    // The interval runs from attempt to attempt, so the duration of the failed attempt is subtracted.
    const pauseMs = (_: number, tookMs: number): number => Math.max(0, retryMs - tookMs);
    const granted = await withRetries({ pauseMs, log, stop: upstream.stop }, () =>
      callUpstream(upstream, { path: 'auth', json, schema: grant }),
    ).catch(asUnauthorized);
    const lifeMs = granted.expires_in * 1000;
    held = { token: granted.access_token, goodUntil: asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2) };
    log.debug(`fetched a token, valid for ${granted.expires_in} s`);
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

/** Maps 400 to `unauthorized`: OAuth answers 400 for a wrong password (RFC 6749, 5.2). */
function asUnauthorized(error: unknown): never {
  if (error instanceof HttpFault && error.status === 400)
    throw new HttpFault('unauthorized', error.message, { cause: error, status: 400 });
  throw error;
}
