/**
 * Ends processes that a connector has started in a session of their own, where the end of its process group does not reach
 * them. They have its HOME, or work in it: a folder of one command alone. On systems without /proc it finds none.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that starts another one while it is looked for is found at the second try. */
const MOST_TRIES = 10;

export function killStragglers(home: string): void {
  for (let nth = 0; nth < MOST_TRIES; nth += 1) {
    const found = processesOf(home);
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
  }
}

function processesOf(home: string): number[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).split('\0').includes(`HOME=${home}`) || worksIn(pid, home))
    .map(Number);
}

/** Empty for a process that is gone, or that belongs to another user. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}

function worksIn(pid: string, folder: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It is gone, or has become another user's.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
