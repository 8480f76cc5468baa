/** Callers with their permissions. The audit shows local users by name, OIDC users as `oidc:<sub> (<name>)`, programs as `token:<name>`. */
import type { JWTPayload } from 'jose';
import type { OidcSettings } from '../../config/oidc-settings.ts';
import { type Grant, unlimited } from '../../domain/permission.ts';
import type { Claims } from './tokens.ts';

/** `id` is unique for ever; `shown` is the name in records. */
export type User = { readonly id: string; readonly shown: string; readonly grant: Grant } & (
  | { readonly kind: 'local'; readonly username: string; readonly authTime: number }
  | {
      readonly kind: 'oidc';
      readonly sub: string;
      readonly name: string | null;
      /** The role as the issuer names it; `grant` is its meaning here. */
      readonly role: string | null;
    }
  /** A program. A null `expiresAt` never expires; the id of the token distinguishes programs that had the same name. */
  | { readonly kind: 'token'; readonly tokenId: string; readonly expiresAt: Date | null }
);

/** A caller without its permissions. */
export type Subject = Pick<User, 'id' | 'shown'>;

/** Local names contain no colon (USERNAME_PATTERN), so a `sub` of the issuer can never equal one. */
const PREFIX = 'oidc:';
/** The form that OpenID Connect allows, without control characters. */
const SUB = /^[\x20-\x7e]{1,255}$/;
const MOST_CHARACTERS = 100;

/** A local user with the rights of a viewer, until `permits` reads id and grant from Postgres (`localStanding`). */
export function localUser({ sub, authTime }: Claims): User {
  return { kind: 'local', id: sub, shown: sub, username: sub, authTime, grant: unlimited('viewer') };
}

/**
 * @param payload of a token that has been verified
 * @returns undefined without a valid `sub`; a user without a grant if no claim gives a role here
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
  // The id contains no space, so the text up to the first space identifies the user whatever the name is.
  const id = PREFIX + sub.replaceAll(/[^A-Za-z0-9._@|:+=/-]/g, (sign) => encodeSign(sign));
  const shown = name === null ? id : `${id} (${name})`;
  if (!grant) return { id, shown };
  return { kind: 'oidc', id, shown, sub, name, role: words(said.join(', ')), grant };
}

/** A claim of roles holds one role or a list. */
function textsOf(claim: unknown): string[] {
  return [claim].flat().filter((one): one is string => typeof one === 'string' && one.trim() !== '');
}

function encodeSign(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Cleans a claim to one line without control characters, direction marks or lone surrogates; null if nothing is left. */
function words(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  const line = claim
    .slice(0, 4 * MOST_CHARACTERS)
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line === '' ? null : Array.from(line).slice(0, MOST_CHARACTERS).join('');
}
