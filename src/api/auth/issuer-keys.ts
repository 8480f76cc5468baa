/** The public keys of an OIDC issuer: fetched when first needed, kept while it is unreachable, fetched again when they change. */
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OidcSettings } from '../../config/oidc-settings.ts';
import { isTrusted } from '../../config/config-schemas.ts';
import type { Log } from '../../log.ts';
import { Problem } from '../http/problem.ts';

/** Time for discovery and keys together. */
const DEADLINE_MS = 5_000;
const MOST_BYTES = 256 * 1024;
/** Retries often while there are no keys, because no OIDC token works then. */
const RETRY_MS = 1_000;

export type Times = {
  /** Minimum time between two fetches for unknown key ids, which callers can invent. */
  readonly cooldownMs: number;
  /** The keys are fetched again after this time, so that a revoked key stops working. */
  readonly refreshMs: number;
};
const TIMES: Times = { cooldownMs: 10_000, refreshMs: 600_000 };

export type IssuerKeys = {
  /** Returns the known keys. @throws Problem 503 without any */
  current(): Promise<JWTVerifyGetKey>;
  /** Refetches the keys unless they were fetched within the cool-down. @throws Problem 503 if the last fetch failed */
  renewed(): Promise<JWTVerifyGetKey>;
};

type KeySet = ReturnType<typeof createRemoteJWKSet>;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() });

export function createIssuerKeys(settings: OidcSettings, of: { log: Log; times?: Times }): IssuerKeys {
  const { cooldownMs, refreshMs } = of.times ?? TIMES;
  let known: { readonly address: string; readonly set: KeySet } | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failed = false;
  let pending: Promise<void> | undefined;
  let signal: AbortSignal;

  const load = async () => {
    signal = AbortSignal.timeout(DEADLINE_MS);
    const address = settings.jwksUrl ?? (await discover(settings.issuer, signal));
    const set = known?.address === address ? known.set : remoteSet(address, () => signal);
    await set.reload();
    known = { address, set };
    loadedAt = performance.now();
  };
  /** Fetches the keys, one fetch at a time; a failure is logged and sets `failed`. */
  const look = (): Promise<void> => {
    triedAt = performance.now();
    pending ??= load()
      .then(
        () => void (failed = false),
        (error: unknown) => {
          failed = true;
          of.log.warn({ err: error, issuer: settings.issuer }, 'cannot fetch the keys of the OIDC issuer');
        },
      )
      .finally(() => (pending = undefined));
    return pending;
  };
  const isOver = (since: number, ms: number) => performance.now() - since > ms;

  return {
    async current() {
      if (known) {
        if (isOver(loadedAt, refreshMs) && isOver(triedAt, cooldownMs)) void look();
        return known.set;
      }
      if (pending || isOver(triedAt, RETRY_MS)) await look();
      const loaded = known as { set: KeySet } | undefined;
      if (!loaded) throw oidcUnreachable();
      return loaded.set;
    },
    async renewed() {
      if (pending || isOver(triedAt, cooldownMs)) await look();
      if (failed || !known) throw oidcUnreachable();
      return known.set;
    },
  };
}

export function oidcUnreachable(): Problem {
  const detail = 'cannot fetch the keys of the OIDC issuer; try again';
  return new Problem(503, 'oidc_unreachable', detail, { headers: { 'retry-after': '2' } });
}

/** Disables the fetches of the library: it would drop the keys of an unreachable issuer and refetch without limit. */
function remoteSet(address: string, signal: () => AbortSignal): KeySet {
  return createRemoteJWKSet(new URL(address), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    timeoutDuration: DEADLINE_MS,
    [customFetch]: (url) => ask(url, signal()),
  });
}

/** Reads the address of the keys from the discovery document of the issuer. */
async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await ask(url, signal);
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  const document = discoverySchema.parse(await answer.json());
  if (document.issuer !== issuer) throw new Error(`${url} names another issuer: ${document.issuer}`);
  if (!URL.canParse(document.jwks_uri) || !isTrusted(new URL(document.jwks_uri)))
    throw new Error(`${url}: its jwks_uri must be an https address: ${document.jwks_uri}`);
  return document.jwks_uri;
}

/** Fetches without redirects, at most MOST_BYTES. */
async function ask(url: string, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'application/json' };
  const answer = await fetch(url, { redirect: 'manual', signal, headers });
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: ReadableStream<Uint8Array> | null = answer.body;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`${url} answered more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(answer.status === 200 ? Buffer.concat(chunks) : null, { status: answer.status });
}
