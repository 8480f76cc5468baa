/** Identifies a program by its service token (`syncrator tokens create`), of which only the hash is stored. */
import { timingSafeEqual } from 'node:crypto';
import type { Db } from '../../db/schema.ts';
import { findServiceToken, noteTokenUse } from '../../db/access/service-tokens.ts';
import type { ServiceToken } from '../../auth/service-token.ts';
import { unauthorized } from '../http/problem.ts';
import type { User } from './user.ts';

/**
 * Returns undefined for an unknown token.
 * @throws Problem 401 for an expired or revoked token; its bearer may know the reason
 */
export async function serviceUser(db: Db, { id, hash }: ServiceToken, now: Date): Promise<User | undefined> {
  const found = await findServiceToken(db, id);
  if (!found || !timingSafeEqual(found.hash, hash)) return undefined;
  const { name, state, role, envs, actions, expires_at: expiresAt } = found;
  // Names of users have no colon.
  const shown = `token:${name}`;
  // Another token may have had the name before, or may get it later; ids keep their records apart.
  const key = found.principal ?? `${shown}:${id}`;
  const subject = { id: key, shown: `${shown} (${id})` };
  if (state === 'revoked')
    throw unauthorized(`the token ${name} was revoked on ${dayOf(found.revoked_at)}`, {
      code: 'token_revoked',
      subject,
    });
  if (state === 'expired')
    throw unauthorized(`the token ${name} expired on ${dayOf(expiresAt)}`, {
      code: 'token_expired',
      subject,
    });
  await noteTokenUse(db, found, now);
  return { kind: 'token', id: key, shown, tokenId: id, expiresAt, grant: { role, envs, actions } };
}

function dayOf(time: Date | null): string {
  return time?.toISOString().slice(0, 10) ?? '';
}
