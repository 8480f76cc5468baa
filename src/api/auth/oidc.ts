/** Verifies bearer tokens of an OpenID Connect issuer with its published keys. */
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose';
import type { OidcSettings } from '../../config/oidc-settings.ts';
import type { Log } from '../../log.ts';
import { createIssuerKeys, type Times } from './issuer-keys.ts';
import type { Oidc } from '../context.ts';
import { type Problem, unauthorized } from '../http/problem.ts';
import { oidcUser, type Subject } from './user.ts';

/** Only asymmetric algorithms: a public key can never be misused as a shared secret. */
const ALGORITHMS = ['RS256', 'RS512', 'ES256', 'EdDSA'];
/** Tolerates the clock of the issuer. */
const LEEWAY_SECONDS = 5;

export function createOidc(settings: OidcSettings, of: { log: Log; times?: Times }): Oidc {
  const keys = createIssuerKeys(settings, of);
  const verifyBy = async (token: string, key: JWTVerifyGetKey, now: Date) => {
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      algorithms: ALGORITHMS,
      issuer: settings.issuer,
      audience: settings.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: now,
      // With maxTokenAge jose also rejects tokens without `iat` or from the future.
      ...(settings.maxAgeSeconds === undefined ? {} : { maxTokenAge: settings.maxAgeSeconds }),
    });
    checkMade(payload, now);
    checkKind(payload, protectedHeader, settings.typ);
    return payload;
  };
  return {
    isNamedIn(token) {
      try {
        return decodeJwt(token).iss === settings.issuer;
      } catch {
        return false; // not a JWT
      }
    },
    async verify(token, now) {
      // Checked first, so that a forged token causes no fetch.
      if (!isSigned(token)) return undefined;
      const refused = (error: unknown) => {
        of.log.debug(
          { why: error instanceof errors.JOSEError ? error.code : error },
          'rejected an OIDC token',
        );
        return undefined;
      };
      const first = await keys.current();
      const payload = await verifyBy(token, first, now).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) return refused(error);
        return await verifyBy(token, await keys.renewed(), now).catch(refused);
      });
      const user = payload && oidcUser(payload, settings);
      if (user && !('grant' in user)) throw noRole(user);
      return user;
    },
  };
}

/** Rejects tokens from the future also where no maximum age is set. */
function checkMade(payload: JWTPayload, now: Date): void {
  const { iat } = payload;
  if (iat !== undefined && iat > now.getTime() / 1000 + LEEWAY_SECONDS)
    throw new errors.JWTClaimValidationFailed('it was made in the future', payload, 'iat', 'check_failed');
}

/**
 * Rejects ID tokens: every client of the issuer receives them, and they grant no access. Keycloak names the kind of a token
 * in a claim, others in the header (RFC 9068: `at+jwt`).
 */
function checkKind(payload: JWTPayload, header: JWTHeaderParameters, typ: string | undefined): void {
  const said = [header.typ, payload['typ']]
    .filter((one) => typeof one === 'string')
    .map((one) => one.toLowerCase().replace(/^application\//, ''));
  const isWanted = typ === undefined || said.includes(typ.toLowerCase().replace(/^application\//, ''));
  const isIdToken =
    said.includes('id') || payload['at_hash'] !== undefined || payload['c_hash'] !== undefined;
  if (!isWanted || isIdToken)
    throw new errors.JWTClaimValidationFailed('it is another kind of token', payload, 'typ', 'check_failed');
}

function isSigned(token: string): boolean {
  try {
    return ALGORITHMS.includes(decodeProtectedHeader(token).alg ?? '');
  } catch {
    return false;
  }
}

function noRole(subject: Subject): Problem {
  const words =
    'the token has no role on this server; map one of its roles in OIDC_ROLES, or set OIDC_DEFAULT_ROLE';
  return unauthorized(words, { code: 'no_role', subject });
}
