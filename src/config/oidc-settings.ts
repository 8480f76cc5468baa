/** The settings of an OIDC issuer whose tokens are accepted beside our own: which belong together, and their values. */
import { type Grant, type Role, unlimited } from '../domain/permission.ts';
import type { OidcRole } from './oidc-roles.ts';

export type OidcSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** Undefined: the issuer's own discovery document names it. */
  readonly jwksUrl: string | undefined;
  /** Claims of its tokens; the first one that a token has gives the role. */
  readonly roleClaims: readonly string[];
  /** The first mapping that matches a claim counts. */
  readonly roles: readonly OidcRole[];
  /** The role of a token without a matching claim; undefined: the token is refused. */
  readonly otherwise: Grant | undefined;
  /** Seconds after its issue for which a token is accepted, even if it expires later; undefined: until it expires. */
  readonly maxAgeSeconds: number | undefined;
  /** Required value of the header or the claim `typ`; undefined: any, except that of an ID token. */
  readonly typ: string | undefined;
};

type Settings = {
  readonly OIDC_ISSUER?: string | undefined;
  readonly OIDC_AUDIENCE?: string | undefined;
  readonly JWKS_URL?: string | undefined;
  readonly OIDC_ROLE_CLAIM?: readonly string[] | undefined;
  readonly OIDC_ROLES?: readonly OidcRole[] | undefined;
  readonly OIDC_DEFAULT_ROLE?: Role | 'none' | undefined;
  /** Undefined if the setting is `off`; the start logs that. */
  readonly OIDC_MAX_AGE?: number | undefined;
  readonly OIDC_TYP?: string | undefined;
  readonly LOCAL_LOGIN: boolean;
};

/** A day: the longest default lifetime of access tokens at large issuers. */
const DEFAULT_MAX_AGE_SECONDS = 86_400;

const OF_ISSUER = [
  'OIDC_AUDIENCE',
  'JWKS_URL',
  'OIDC_ROLE_CLAIM',
  'OIDC_ROLES',
  'OIDC_DEFAULT_ROLE',
  'OIDC_TYP',
] as const satisfies (keyof Settings)[];

/** The settings that contradict each other, each with the reason; empty if there are none. */
export function oidcFaults(settings: Settings): [keyof Settings, string][] {
  if (settings.OIDC_ISSUER !== undefined)
    return settings.OIDC_AUDIENCE === undefined
      ? [['OIDC_AUDIENCE', 'is not set, which OIDC_ISSUER needs']]
      : [];
  const faults: [keyof Settings, string][] = [];
  for (const name of OF_ISSUER) if (settings[name] !== undefined) faults.push([name, 'needs OIDC_ISSUER']);
  if ('OIDC_MAX_AGE' in settings) faults.push(['OIDC_MAX_AGE', 'needs OIDC_ISSUER']);
  if (!settings.LOCAL_LOGIN)
    faults.push(['LOCAL_LOGIN', 'is false without OIDC_ISSUER: nobody could log in']);
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
