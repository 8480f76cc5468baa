/** Parses and prints the role and limits of a user or a service token. */
import { CliFailure } from '../terminal/failure.ts';
import type { GrantOptions } from './options.ts';
import { type Grant, grantOf, limitsOf, ROLES } from '../domain/permission.ts';

/** @throws CliFailure for an unknown role, or a limit that the role does not allow */
export function readGrant(role: string, { env, action }: GrantOptions): Grant {
  const known = ROLES.find((one) => one === role);
  if (known === undefined) throw new CliFailure(`invalid role '${role}' (expected ${ROLES.join(', ')})`);
  try {
    return grantOf(known, env, action);
  } catch (error) {
    throw error instanceof Error ? new CliFailure(error.message) : error;
  }
}

export function limitsText(grant: Grant): string {
  return limitsOf(grant) ?? 'none';
}
