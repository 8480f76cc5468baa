/** Bearer tokens of people: HS256 JWTs, signed with the newest secret, verified with each. */
import { jwtVerify, SignJWT } from 'jose';

const NAME = 'syncrator';
/** Seconds a token is good for, as the predecessor's were. */
export const TOKEN_SECONDS = 899;

export type Claims = {
  readonly sub: string;
  /** Seconds since 1970 of the password login that began it all; renewals keep it. */
  readonly authTime: number;
};

/** Seconds by which a token may seem to be made in the future: processes look at the one clock at different moments. */
const LEEWAY_SECONDS = 1;

/**
 * @param secrets the newest first; that one signs
 * @param now by the clock that all who sign and verify go by
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

/** The claims of a token that is ours, in time and whole; undefined for every other. */
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
    }).catch(() => undefined); // whatever is wrong with it, it is not valid; why is nobody's business
    const { sub, auth_time: authTime } = verified?.payload ?? {};
    if (typeof sub === 'string' && typeof authTime === 'number') return { sub, authTime };
  }
  return undefined;
}
