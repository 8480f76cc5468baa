/** Who runs a command of this machine, as the audit has it. */
import os from 'node:os';
import type { By } from '../db/audit.ts';

/** `users command (ada)`: the machine's word for who it is, which nobody has checked. */
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
