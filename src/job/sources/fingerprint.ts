/** Fingerprints the settings by which records are read: a load is not resumed under other ones. Pure. */
import { createHash } from 'node:crypto';

export function fingerprintOf(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}
