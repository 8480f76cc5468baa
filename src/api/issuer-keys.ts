/** The keys an OIDC issuer publishes: fetched when first needed, kept while it is away, fetched anew when they change. */
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OidcSettings } from '../config.ts';
import { isTrusted } from '../setting-forms.ts';
import type { Log } from '../log.ts';
import { Problem } from './problem.ts';

/** For finding the keys' address and the keys, together. */
const DEADLINE_MS = 5_000;
const MOST_BYTES = 256 * 1024;
/** Without any keys nobody gets in, so it is asked often. */
const RETRY_MS = 1_000;

export type Times = {
  /** Between two looks because of a key that is not known; anybody can make up one. */
  readonly cooldownMs: number;
  /** After which the keys are fetched anew: one taken back is refused from then on. */
  readonly refreshMs: number;
};
const TIMES: Times = { cooldownMs: 10_000, refreshMs: 600_000 };

export type IssuerKeys = {
  /** Those at hand. @throws Problem 503 when there are none */
  current(): Promise<JWTVerifyGetKey>;
  /** Those of now, as far as one may look again already. @throws Problem 503 when the last look failed */
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
  /** One at a time; its failure is told to the log and by `failed`. */
  const look = (): Promise<void> => {
    triedAt = performance.now();
    pending ??= load()
      .then(
        () => void (failed = false),
        (error: unknown) => {
          failed = true;
          of.log.warn(
            { err: error, issuer: settings.issuer },
            'the keys of the OIDC issuer cannot be fetched',
          );
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
  const detail = 'the issuer of the token cannot be asked for its keys; try again';
  return new Problem(503, 'oidc_unreachable', detail, { headers: { 'retry-after': '2' } });
}

/** It never fetches by itself: its own rules would drop the keys of an issuer that is away, and ask one without end. */
function remoteSet(address: string, signal: () => AbortSignal): KeySet {
  return createRemoteJWKSet(new URL(address), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    timeoutDuration: DEADLINE_MS,
    [customFetch]: (url) => ask(url, signal()),
  });
}

/** The address of the keys as the issuer's own document names it. */
async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await ask(url, signal);
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  const document = discoverySchema.parse(await answer.json());
  if (document.issuer !== issuer) throw new Error(`${url} is of another issuer: ${document.issuer}`);
  if (!URL.canParse(document.jwks_uri) || !isTrusted(new URL(document.jwks_uri)))
    throw new Error(`${url}: its jwks_uri is no https address: ${document.jwks_uri}`);
  return document.jwks_uri;
}

/** Follows no redirect, and reads no more than keys can be. */
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
