/** Names the user of an operator command for the audit. */
import os from 'node:os';
import type { By } from '../db/access/audit.ts';

/** `users command (ada)`: the name comes from the operating system and is not verified. */
export function byCommand(group: 'users' | 'tokens' | 'db', reason: string | undefined): By {
  return { principal: `${group} command (${nameHere()})`, origin: { reason: reason?.trim() || undefined } };
}

function nameHere(): string {
  try {
    return os.userInfo().username;
  } catch (error) {
    // A container's user may have no name.
    if (error instanceof Error && 'syscall' in error) return `uid ${process.getuid?.() ?? '?'}`;
    throw error;
  }
}
