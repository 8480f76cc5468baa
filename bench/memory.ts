/** What a process takes of the machine's memory. */
import { readFileSync } from 'node:fs';

export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`no VmRSS for process ${pid}`);
  return Math.round((Number(kib) / 1_024) * 10) / 10;
}
