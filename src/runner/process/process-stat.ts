/** Reads Linux's /proc/<pid>/stat and sends signals; for the process runner and the embedded servers. */
import { readFileSync } from 'node:fs';

/** `startTime` in clock ticks since boot; pid and start time together identify a process. */
export type ProcessStat = { readonly group: number; readonly startTime: string };

/** Reads /proc/<pid>/stat (proc(5)); undefined when the process is gone or a zombie. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  // The command name in parentheses may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(group), startTime: fields[19] ?? '' };
}

/** Sends a signal; does nothing if the process is gone. A negative pid addresses a group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
