/** Who asks, and how that is written down: a user of ours by name, one of the issuer's as `oidc:<sub> (<name>)`. */
import type { JWTPayload } from 'jose';
import type { Claims } from './tokens.ts';

/** `id` is theirs alone and for good; `shown` is what goes into the record. */
export type User = { readonly id: string; readonly shown: string } & (
  | { readonly kind: 'local'; readonly username: string; readonly authTime: number }
  | {
      readonly kind: 'oidc';
      readonly sub: string;
      readonly name: string | null;
      /** Kept; nothing is decided by it yet. */
      readonly role: string | null;
    }
);

/** Names of ours have no colon (USERNAME_PATTERN), so that nobody else's `sub` can be one of them. */
const PREFIX = 'oidc:';
/** As OpenID Connect allows it, without control characters. */
const SUB = /^[\x20-\x7e]{1,255}$/;
const MOST_CHARACTERS = 100;

export function localUser({ sub, authTime }: Claims): User {
  return { kind: 'local', id: sub, shown: sub, username: sub, authTime };
}

/** @param payload of a token that has been verified; undefined where its `sub` is none */
export function oidcUser(payload: JWTPayload): User | undefined {
  const { sub } = payload;
  if (sub === undefined || !SUB.test(sub)) return undefined;
  const name = words(payload['name']) ?? words(payload['preferred_username']);
  const role = words(payload['accreditation/role']) ?? words(payload['role']);
  // No space stands in it: whatever a name says, the text up to the first space is who it is.
  const id = PREFIX + sub.replaceAll(/[^A-Za-z0-9._@|:+=/-]/g, (sign) => encodeSign(sign));
  return { kind: 'oidc', id, shown: name === null ? id : `${id} (${name})`, sub, name, role };
}

function encodeSign(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** One line without control characters, marks of direction or halves of characters; null where nothing is left. */
function words(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  const line = claim
    .slice(0, 4 * MOST_CHARACTERS)
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line === '' ? null : Array.from(line).slice(0, MOST_CHARACTERS).join('');
}
