/** Reads the memory and the processor time of a process. */
import { readFileSync } from 'node:fs';

/** Linux counts times in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`no VmRSS for process ${pid}`);
  return Math.round((Number(kib) / 1_024) * 10) / 10;
}

/** Processor seconds of all its threads since its start. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in brackets, may itself contain spaces and brackets.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}
