/** Bearer tokens of another issuer (OpenID Connect), verified by the keys that it publishes. */
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { OidcSettings } from '../config.ts';
import type { Log } from '../log.ts';
import { createIssuerKeys, type Times } from './issuer-keys.ts';
import { type Problem, unauthorized } from './problem.ts';
import { oidcUser, type Subject, type User } from './user.ts';

/** Of key pairs alone: a public key can never be taken for a shared secret. */
const ALGORITHMS = ['RS256', 'RS512', 'ES256', 'EdDSA'];
/** Another machine made them, by its own clock. */
const LEEWAY_SECONDS = 5;

export type Oidc = {
  /** Whether the token says that it is of this issuer; nothing of it has been verified. */
  isNamedIn(token: string): boolean;
  /** Undefined for a token that is not valid. @throws Problem 401 for one without a role here, 503 for want of keys */
  verify(token: string, now: Date): Promise<User | undefined>;
};

export function createOidc(settings: OidcSettings, of: { log: Log; times?: Times }): Oidc {
  const keys = createIssuerKeys(settings, of);
  const verifyBy = async (token: string, key: JWTVerifyGetKey, now: Date) => {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ALGORITHMS,
      issuer: settings.issuer,
      audience: settings.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: now,
    });
    return payload;
  };
  return {
    isNamedIn(token) {
      try {
        return decodeJwt(token).iss === settings.issuer;
      } catch {
        return false; // no JWT at all
      }
    },
    async verify(token, now) {
      // Before anything is fetched for it.
      if (!isSigned(token)) return undefined;
      const refused = (error: unknown) => {
        of.log.debug(
          { why: error instanceof errors.JOSEError ? error.code : error },
          'refused an OIDC token',
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

function isSigned(token: string): boolean {
  try {
    return ALGORITHMS.includes(decodeProtectedHeader(token).alg ?? '');
  } catch {
    return false;
  }
}

function noRole(subject: Subject): Problem {
  const words = 'the token gives no role here (OIDC_ROLES, OIDC_DEFAULT_ROLE=none)';
  return unauthorized(words, { code: 'no_role', subject });
}
