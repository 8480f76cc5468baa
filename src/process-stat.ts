/** What Linux tells of a process by its pid, and a signal to it: shared by the process runner and the embedded servers. */
import { readFileSync } from 'node:fs';

/** `startTime` in clock ticks since boot: with the pid it names a process unmistakably. */
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
  // The command's name, in brackets, may itself contain spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(group), startTime: fields[19] ?? '' };
}

/** Sends a signal; a process that is already gone is no error. A negative pid means its group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
