/** What a user or a program may do, as it is typed at a terminal and shown there. */
import { CliFailure } from '../cli/failure.ts';
import type { GrantOptions } from './options.ts';
import { type Grant, grantOf, limitsOf, ROLES } from '../domain/grant.ts';

/** @throws CliFailure for what is no role, or no limit of it */
export function readGrant(role: string, { env, action }: GrantOptions): Grant {
  const known = ROLES.find((one) => one === role);
  if (known === undefined) throw new CliFailure(`'${role}' is not ${ROLES.join(', ')}`);
  try {
    return grantOf(known, env, action);
  } catch (error) {
    throw error instanceof Error ? new CliFailure(error.message) : error;
  }
}

export function limitsText(grant: Grant): string {
  return limitsOf(grant) ?? 'none';
}
