/** A stand-in for a hosted OpenID Connect issuer: discovery and keys over HTTP, and tokens signed by those keys. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const AUDIENCE = 'syncrator-api';

/** `hangs` accepts the call and never answers; `elsewhere` redirects to another address of its own, which has keys. */
export type Mood = 'well' | 'refuses' | 'hangs' | 'elsewhere' | 'broken' | 'endless';

type Key = { readonly kid: string; readonly alg: string; readonly privateKey: CryptoKey; readonly jwk: JWK };

export type OidcIssuer = AsyncDisposable & {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Requested paths, oldest first. */
  readonly calls: string[];
  mood: Mood;
  /** Additions to its true discovery document. */
  discovery: Readonly<Record<string, unknown>>;
  /** Its present signing key. */
  readonly key: () => Key;
  /** Adds a key, signs with it from now on, and withdraws the others. */
  rotate(alg?: string): Promise<Key>;
  /** A valid token by default. */
  token(
    claims?: JWTPayload,
    of?: { key?: Key; header?: object; crit?: Record<string, boolean> },
  ): Promise<string>;
};

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const calls: string[] = [];
  let keys: Key[] = [];
  let made = 0;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const where = request.url ?? '';
    calls.push(where);
    const json = (body: unknown) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const mood = where.startsWith('/elsewhere') ? 'well' : self.mood;
    if (mood === 'hangs') return;
    if (mood === 'refuses') response.writeHead(503).end();
    else if (mood === 'elsewhere') response.writeHead(302, { location: `/elsewhere${where}` }).end();
    else if (mood === 'broken') response.writeHead(200).end('<html>');
    else if (mood === 'endless') {
      const more = setInterval(() => response.write(' '.repeat(65_536)), 5);
      response.once('close', () => clearInterval(more));
    } else if (where.endsWith('/.well-known/openid-configuration'))
      json({ issuer: self.issuer, jwks_uri: self.jwksUrl, ...self.discovery });
    else if (where.endsWith('/keys')) json({ keys: keys.map(({ jwk }) => jwk) });
    else response.writeHead(404).end();
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const newest = () => {
    const [key] = keys;
    if (!key) throw new Error('no key');
    return key;
  };
  const self: OidcIssuer = {
    issuer: `http://127.0.0.1:${port}/realms/test`,
    jwksUrl: `http://127.0.0.1:${port}/keys`,
    calls,
    mood: 'well',
    discovery: {},
    key: newest,
    async rotate(alg = 'RS256') {
      keys = [await makeKey(`key-${++made}`, alg)];
      return newest();
    },
    token: (claims = {}, of = {}) => {
      const { alg, kid, privateKey } = of.key ?? newest();
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({
        iss: self.issuer,
        aud: AUDIENCE,
        sub: '1234-5678',
        iat: now,
        exp: now + 300,
        ...claims,
      })
        .setProtectedHeader({ alg, kid, ...of.header })
        .sign(privateKey, of.crit ? { crit: of.crit } : {});
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  await self.rotate();
  return self;
}

export async function makeKey(kid: string, alg: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
