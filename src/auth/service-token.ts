/** Service tokens: their format, and the hash that is stored in place of the token. */
import { createHash, randomBytes } from 'node:crypto';

/** `syn_`, an id that is not secret, and 256 random bits. */
const TOKEN = /^syn_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** The id in a token, and the hash that recognises it. */
export type ServiceToken = {
  readonly id: string;
  /** SHA-256 of the whole token. */
  readonly hash: Buffer;
};

/** @returns the token with its id and hash; show the token once, it is not stored */
export function makeServiceToken(): ServiceToken & { readonly token: string } {
  const id = randomBytes(8).toString('hex');
  const token = `syn_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, token, hash: hashOf(token) };
}

/** Undefined if the text is not a service token. Its row says whether it is valid. */
export function parseServiceToken(token: string): ServiceToken | undefined {
  const id = TOKEN.exec(token)?.[1];
  return id === undefined ? undefined : { id, hash: hashOf(token) };
}

/** A fast hash is enough for 256 random bits. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
