/**
 * Makes and checks report tokens, `<step>.<attempt>.<mac>`: each lets one attempt of a step report, and nothing else. A
 * token is derived and not stored: any process with the secret makes the same one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

type Attempt = { readonly uid: string; readonly step: number; readonly attempt: number };

function mac(secret: string, of: Attempt): Buffer {
  return createHmac('sha256', secret).update(`report\n${of.uid}\n${of.step}\n${of.attempt}`).digest();
}

/** @param secrets the newest first; that one signs */
export function makeReportToken(secrets: readonly string[], of: Attempt): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to make a report token with');
  return `${of.step}.${of.attempt}.${mac(secret, of).toString('base64url')}`;
}

/** The step and attempt that a token claims, unchecked; undefined if the text is not a report token. */
export function parseReportToken(token: string): { step: number; attempt: number; mac: string } | undefined {
  const match = /^(\d{1,3})\.(\d{1,4})\.([A-Za-z0-9_-]{43})$/.exec(token);
  if (!match) return undefined;
  return { step: Number(match[1]), attempt: Number(match[2]), mac: match[3] ?? '' };
}

/** True if one of the secrets signed the token for this very job, step and attempt. Constant time. */
export function verifyReportToken(secrets: readonly string[], token: string, uid: string): boolean {
  const parsed = parseReportToken(token);
  if (!parsed) return false;
  const given = Buffer.from(parsed.mac, 'base64url');
  return secrets.some((secret) => {
    const expected = mac(secret, { uid, step: parsed.step, attempt: parsed.attempt });
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
