/** A program that asks with a token of ours (`syncrator tokens create`): known by its hash, and told why it is refused. */
import { timingSafeEqual } from 'node:crypto';
import type { Db } from '../db/schema.ts';
import { findServiceToken, noteTokenUse } from '../db/service-tokens.ts';
import type { ServiceToken } from '../service-token.ts';
import { unauthorized } from './problem.ts';
import type { User } from './user.ts';

/**
 * Undefined for a token that we have not made.
 * @throws Problem 401 for one that has expired or been revoked: whoever has it may know
 */
export async function serviceUser(db: Db, { id, hash }: ServiceToken, now: Date): Promise<User | undefined> {
  const found = await findServiceToken(db, id);
  if (!found || !timingSafeEqual(found.hash, hash)) return undefined;
  const { name, state, role, envs, actions, expires_at: expiresAt } = found;
  // Names of users have no colon.
  const shown = `token:${name}`;
  const subject = { id: shown, shown };
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
  return { kind: 'token', ...subject, expiresAt, grant: { role, envs, actions } };
}

function dayOf(time: Date | null): string {
  return time?.toISOString().slice(0, 10) ?? '';
}
