/** Every kind of bad credential of a request; each must be refused wherever a user's token is required. */
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { hashPassword } from '../../../src/api/auth/passwords.ts';
import { signToken } from '../../../src/api/auth/tokens.ts';
import type { Db } from '../../../src/db/schema.ts';
import { addServiceToken, revokeServiceToken } from '../../../src/db/access/service-tokens.ts';
import { addUser, changeUser } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';

export type Credential = { readonly name: string; readonly header: string | undefined };

/** Tokens of which each was valid until a moment ago. */
const DISABLED = 'a disabled user';

type Claims = Readonly<Record<string, unknown>>;

/** @param of.disabled a user who was disabled after that token was made */
export async function badCredentials(of: {
  secret: string;
  disabled: string;
  reportTokens: Readonly<Record<string, string>>;
  /** Service tokens: unknown, or no longer valid. */
  serviceTokens: Readonly<Record<string, string>>;
  /** Tokens of users whose logins have ended since. */
  endedLogins: Readonly<Record<string, string>>;
}): Promise<Credential[]> {
  const { secret } = of;
  const now = Math.floor(Date.now() / 1000);
  const good: Claims = {
    auth_time: now,
    sub: 'admin',
    iss: 'syncrator',
    aud: 'syncrator',
    iat: now,
    exp: now + 899,
  };
  const head = { alg: 'HS256', typ: 'JWT' };
  const without = (name: string) =>
    Object.fromEntries(Object.entries(good).filter(([claim]) => claim !== name));
  const jwt = (header: object, claims: Claims, key: string | Buffer = secret) => sign(header, claims, key);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const whole = await signToken([secret], { sub: 'admin', authTime: now });
  const tokens: Record<string, string> = {
    garbage: randomBytes(30).toString('hex'),
    'garbage in three parts': 'a.b.c',
    'alg none': `${encode({ alg: 'none' })}.${encode(good)}.`,
    'alg None': `${encode({ alg: 'None' })}.${encode(good)}.`,
    'alg none with a signature': jwt({ alg: 'none' }, good),
    'RS256 by another key': jwt({ alg: 'RS256' }, good, privateKey),
    'HS256 by a public key': jwt(head, good, publicKey),
    'HS256 by a key that it contains': jwt({ ...head, jwk: { kty: 'oct', k: 'c2VjcmV0' } }, good, 'secret'),
    'HS512 by the right secret': jwt({ alg: 'HS512' }, good),
    'a wrong signature': jwt(head, good, randomBytes(32)),
    'an empty secret': jwt(head, good, ''),
    'no signature': whole.split('.').slice(0, 2).join('.') + '.',
    'a cut signature': whole.slice(0, -3),
    'changed claims': [whole.split('.')[0], encode({ ...good, sub: 'root' }), whole.split('.')[2]].join('.'),
    expired: jwt(head, { ...good, iat: now - 899, exp: now - 5 }),
    'too old, though its expiry lies ahead': jwt(head, { ...good, iat: now - 1_000, exp: now + 9_999 }),
    'not yet valid': jwt(head, { ...good, nbf: now + 300 }),
    'made in the future': jwt(head, { ...good, iat: now + 300, exp: now + 900 }),
    'wrong aud': jwt(head, { ...good, aud: 'another' }),
    'wrong iss': jwt(head, { ...good, iss: 'another' }),
    ...Object.fromEntries(Object.keys(good).map((name) => [`no ${name}`, jwt(head, without(name))])),
    'a critical header': jwt({ ...head, crit: ['x'], x: 1 }, good),
    [DISABLED]: await signToken([secret], { sub: of.disabled, authTime: now }),
    ...of.reportTokens,
    ...of.serviceTokens,
    ...of.endedLogins,
  };
  return [
    { name: 'none', header: undefined },
    { name: 'empty', header: '' },
    { name: 'no token', header: 'Bearer ' },
    { name: 'wrong scheme', header: `Basic ${Buffer.from('admin:admin').toString('base64')}` },
    { name: 'a good token under another scheme', header: `Token ${whole}` },
    { name: 'a good token without a scheme', header: whole },
    { name: 'a good token twice', header: `Bearer ${whole} ${whole}` },
    { name: 'a good token and another', header: `Bearer ${whole}, Bearer ${whole}` },
    ...Object.entries(tokens).map(([name, token]) => ({ name, header: `Bearer ${token}` })),
  ];
}

/**
 * Logins that a change of their user ended: another password, a disable that was taken back, a new user of the same
 * name.
 */
export async function endedLogins(
  db: Db,
  logIn: (username: string, password: string) => Promise<string>,
  renew: (token: string) => Promise<string>,
): Promise<Record<string, string>> {
  const by = { principal: 'test' };
  const [old, other] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const add = async (username: string, password: string) => {
    const user = { username, passwordHash: await hashPassword(password), grant: unlimited('admin') };
    if (!(await addUser(db, user, by))) throw new Error(`there is a user ${username} already`);
  };
  const tokens: Record<string, string> = {};
  const ended = async (username: string, end: () => Promise<unknown>) => {
    await add(username, old);
    const token = await logIn(username, old);
    tokens[`a login of ${username}`] = token;
    tokens[`a renewed login of ${username}`] = await renew(token);
    await end();
  };
  await ended('changed', async () =>
    changeUser(db, 'changed', { passwordHash: await hashPassword(other) }, by),
  );
  await ended('disabled-and-enabled', async () => {
    await changeUser(db, 'disabled-and-enabled', { disabled: true }, by);
    await changeUser(db, 'disabled-and-enabled', { disabled: false }, by);
  });
  await ended('added-again', async () => {
    await db.deleteFrom('users').where('username', '=', 'added-again').execute();
    await add('added-again', old);
  });
  return tokens;
}

/** Service tokens: one never made, one expired, one revoked, and parts of a valid one. */
export async function badServiceTokens(db: Db): Promise<Record<string, string>> {
  const by = { principal: 'test' };
  const make = async (name: string, seconds: number) => {
    const { id, hash, token } = makeServiceToken();
    await addServiceToken(db, { id, hash, name, grant: unlimited('admin'), seconds }, by);
    return token;
  };
  const [good, expired, revoked] = [
    await make('good', 3_600),
    await make('expired', -1),
    await make('revoked', 3_600),
  ];
  await revokeServiceToken(db, 'revoked', by);
  const stranger = makeServiceToken().token;
  return {
    'a service token that was never made': stranger,
    'an expired service token': expired,
    'a revoked service token': revoked,
    'the id of a good service token with another secret': good.slice(0, -43) + stranger.slice(-43),
    'a good service token without its end': good.slice(0, -1),
    'only the id of a good service token': good.slice(0, -43),
  };
}

/** Made by hand, because no library makes such bad tokens. */
function sign(header: object, claims: Claims, key: string | Buffer): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const hash = 'alg' in header && header.alg === 'HS512' ? 'sha512' : 'sha256';
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
