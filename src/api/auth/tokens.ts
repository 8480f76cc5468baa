/** Bearer tokens of local users: HS256 JWTs, signed with the newest secret, verified with each. */
import { jwtVerify, SignJWT } from 'jose';

const NAME = 'syncrator';
/** Lifetime of a token in seconds; that of the predecessor. */
export const TOKEN_SECONDS = 899;

export type Claims = {
  readonly sub: string;
  /** Time of the login with a password, in seconds since 1970 to the microsecond; renewals keep it. */
  readonly authTime: number;
};

/** Seconds by which a token may seem to be from the future: processes read the database clock at different moments. */
const LEEWAY_SECONDS = 1;

/**
 * Signs a token.
 * @param secrets newest first; the newest signs
 * @param now by the clock that all processes share
 */
export async function signToken(
  secrets: readonly string[],
  claims: Claims,
  now: Date = new Date(),
): Promise<string> {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign tokens with');
  return new SignJWT({ auth_time: claims.authTime })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(claims.sub)
    .setIssuer(NAME)
    .setAudience(NAME)
    .setIssuedAt(now)
    .setExpirationTime(new Date(now.getTime() + TOKEN_SECONDS * 1000))
    .sign(new TextEncoder().encode(secret));
}

/** Returns the claims of a valid token; undefined for any other. */
export async function verifyToken(
  secrets: readonly string[],
  token: string,
  now: Date = new Date(),
): Promise<Claims | undefined> {
  for (const secret of secrets) {
    const verified = await jwtVerify(token, new TextEncoder().encode(secret), {
      algorithms: ['HS256'],
      issuer: NAME,
      audience: NAME,
      requiredClaims: ['exp', 'iat', 'sub', 'auth_time'],
      maxTokenAge: TOKEN_SECONDS,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: now,
    }).catch(() => undefined); // the reason must not be revealed
    const { sub, auth_time: authTime } = verified?.payload ?? {};
    if (typeof sub === 'string' && typeof authTime === 'number') return { sub, authTime };
  }
  return undefined;
}
