/** Who asks and what they may do, and how it is written down: a user of ours by name, one of the issuer's as `oidc:<sub> (<name>)`, a program as `token:<name>`. */
import type { JWTPayload } from 'jose';
import type { OidcSettings } from '../config.ts';
import { type Grant, unlimited } from '../domain/grant.ts';
import type { Claims } from './tokens.ts';

/** `id` is theirs alone and for good; `shown` is what goes into the record. */
export type User = { readonly id: string; readonly shown: string; readonly grant: Grant } & (
  | { readonly kind: 'local'; readonly username: string; readonly authTime: number }
  | {
      readonly kind: 'oidc';
      readonly sub: string;
      readonly name: string | null;
      /** In the issuer's words; `grant` is what it means here. */
      readonly role: string | null;
    }
  /** A program; null never expires. */
  | { readonly kind: 'token'; readonly expiresAt: Date | null }
);

/** Who somebody is, without what they may do. */
export type Subject = Pick<User, 'id' | 'shown'>;

/** Names of ours have no colon (USERNAME_PATTERN), so that nobody else's `sub` can be one of them. */
const PREFIX = 'oidc:';
/** As OpenID Connect allows it, without control characters. */
const SUB = /^[\x20-\x7e]{1,255}$/;
const MOST_CHARACTERS = 100;

/** Postgres knows what they may do; until it is asked (lookUpUser) they only look. */
export function localUser({ sub, authTime }: Claims): User {
  return { kind: 'local', id: sub, shown: sub, username: sub, authTime, grant: unlimited('viewer') };
}

/**
 * @param payload of a token that has been verified
 * @returns undefined where its `sub` is none; who it is alone where its claims give no role here
 */
export function oidcUser(
  payload: JWTPayload,
  of: Pick<OidcSettings, 'roleClaims' | 'roles' | 'otherwise'>,
): User | Subject | undefined {
  const { sub } = payload;
  if (sub === undefined || !SUB.test(sub)) return undefined;
  const name = words(payload['name']) ?? words(payload['preferred_username']);
  const said = of.roleClaims.map((claim) => textsOf(payload[claim])).find((texts) => texts.length > 0) ?? [];
  const grant = of.roles.find(({ value }) => said.includes(value))?.grant ?? of.otherwise;
  // No space stands in it: whatever a name says, the text up to the first space is who it is.
  const id = PREFIX + sub.replaceAll(/[^A-Za-z0-9._@|:+=/-]/g, (sign) => encodeSign(sign));
  const shown = name === null ? id : `${id} (${name})`;
  if (!grant) return { id, shown };
  return { kind: 'oidc', id, shown, sub, name, role: words(said.join(', ')), grant };
}

/** A claim of roles is one or a list of them. */
function textsOf(claim: unknown): string[] {
  return [claim].flat().filter((one): one is string => typeof one === 'string' && one.trim() !== '');
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
