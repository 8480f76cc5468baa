/** Tokens of programs: what one looks like, and what is kept of it, which is not the token. */
import { createHash, randomBytes } from 'node:crypto';

/** `syn_`, an id that is no secret, and 256 random bits. */
const TOKEN = /^syn_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** What a token shows of itself, and what it is known again by. */
export type ServiceToken = {
  readonly id: string;
  /** SHA-256 of the whole token. */
  readonly hash: Buffer;
};

/** @returns the token beside what is kept of it; shown once, it is nowhere after that */
export function makeServiceToken(): ServiceToken & { readonly token: string } {
  const id = randomBytes(8).toString('hex');
  const token = `syn_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, token, hash: hashOf(token) };
}

/** Undefined for what is no such token; whether it is good, its row says. */
export function parseServiceToken(token: string): ServiceToken | undefined {
  const id = TOKEN.exec(token)?.[1];
  return id === undefined ? undefined : { id, hash: hashOf(token) };
}

/** A fast hash is enough: nobody guesses 256 random bits. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
