/**
 * Device cookies (OWASP): a cookie marks a browser in which a user has logged in. It grants no access, but wrong passwords
 * from elsewhere do not delay this browser.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const DEVICE_COOKIE = 'syncrator_device';
export const DEVICE_SECONDS = 90 * 24 * 3600;

/** Makes the cookie. @param secrets newest first; the newest signs */
export function makeDevice(secrets: readonly string[], username: string, now: Date): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign a device with');
  const id = randomBytes(12).toString('base64url');
  const ends = Math.floor(now.getTime() / 1000) + DEVICE_SECONDS;
  return `${id}.${ends}.${macOf(secret, { id, ends, username }).toString('base64url')}`;
}

/** Returns the id of the device if this user has logged in with it, else undefined. */
export function deviceOf(
  secrets: readonly string[],
  username: string,
  of: { cookie: string | undefined; now: Date },
): string | undefined {
  const [, id = '', ends = '', mac = ''] =
    /^([A-Za-z0-9_-]{16})\.(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(of.cookie ?? '') ?? [];
  if (id === '' || Number(ends) * 1000 < of.now.getTime()) return undefined;
  const given = Buffer.from(mac, 'base64url');
  const isOurs = secrets.some((secret) => {
    const expected = macOf(secret, { id, ends: Number(ends), username });
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isOurs ? id : undefined;
}

function macOf(secret: string, of: { id: string; ends: number; username: string }): Buffer {
  return createHmac('sha256', secret).update(`device\n${of.id}\n${of.ends}\n${of.username}`).digest();
}
