/** The settings of an OIDC issuer whose tokens count beside our own: which go together, and what they mean. */
import { type Grant, type Role, unlimited } from '../domain/permission.ts';
import type { OidcRole } from './oidc-roles.ts';

export type OidcSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** The issuer's own discovery names it otherwise. */
  readonly jwksUrl: string | undefined;
  /** Of its tokens; the first that one has says the role. */
  readonly roleClaims: readonly string[];
  /** The first that a token's claim fits counts. */
  readonly roles: readonly OidcRole[];
  /** Of a token whose claim fits none; undefined refuses it. */
  readonly otherwise: Grant | undefined;
  /** Seconds that a token is good for from when it was made, whatever its end is; undefined: to its end. */
  readonly maxAgeSeconds: number | undefined;
  /** What its header or its claim `typ` must say; undefined: anything but that it is an ID token. */
  readonly typ: string | undefined;
};

type Settings = {
  readonly OIDC_ISSUER?: string | undefined;
  readonly OIDC_AUDIENCE?: string | undefined;
  readonly JWKS_URL?: string | undefined;
  readonly OIDC_ROLE_CLAIM?: readonly string[] | undefined;
  readonly OIDC_ROLES?: readonly OidcRole[] | undefined;
  readonly OIDC_DEFAULT_ROLE?: Role | 'none' | undefined;
  /** Undefined, and said, where it is `off`. */
  readonly OIDC_MAX_AGE?: number | undefined;
  readonly OIDC_TYP?: string | undefined;
  readonly LOCAL_LOGIN: boolean;
};

/** A day, as the longest-lived access tokens of large issuers are by default. */
const DEFAULT_MAX_AGE_SECONDS = 86_400;

const OF_ISSUER = [
  'OIDC_AUDIENCE',
  'JWKS_URL',
  'OIDC_ROLE_CLAIM',
  'OIDC_ROLES',
  'OIDC_DEFAULT_ROLE',
  'OIDC_TYP',
] as const satisfies (keyof Settings)[];

/** The settings that do not go together, each with why; empty when all is well. */
export function oidcFaults(settings: Settings): [keyof Settings, string][] {
  if (settings.OIDC_ISSUER !== undefined)
    return settings.OIDC_AUDIENCE === undefined
      ? [['OIDC_AUDIENCE', 'is not set, which OIDC_ISSUER needs']]
      : [];
  const faults: [keyof Settings, string][] = [];
  for (const name of OF_ISSUER) if (settings[name] !== undefined) faults.push([name, 'needs OIDC_ISSUER']);
  if ('OIDC_MAX_AGE' in settings) faults.push(['OIDC_MAX_AGE', 'needs OIDC_ISSUER']);
  if (!settings.LOCAL_LOGIN)
    faults.push(['LOCAL_LOGIN', 'is false, which needs OIDC_ISSUER: nobody could log in']);
  return faults;
}

/** Undefined without an issuer. */
export function readOidcSettings(settings: Settings): OidcSettings | undefined {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_DEFAULT_ROLE: role = 'viewer' } = settings;
  if (issuer === undefined || audience === undefined) return undefined;
  return {
    issuer,
    audience,
    jwksUrl: settings.JWKS_URL,
    roleClaims: settings.OIDC_ROLE_CLAIM ?? ['accreditation/role', 'role'],
    roles: settings.OIDC_ROLES ?? [],
    otherwise: role === 'none' ? undefined : unlimited(role),
    maxAgeSeconds: 'OIDC_MAX_AGE' in settings ? settings.OIDC_MAX_AGE : DEFAULT_MAX_AGE_SECONDS,
    typ: settings.OIDC_TYP,
  };
}
