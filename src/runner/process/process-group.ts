/**
 * The processes of one attempt: supervisor and program share a process group whose id is the supervisor's pid. The
 * kernel never gives that number away while a member lives, so the group is found again whoever else died.
 */
import { readdirSync } from 'node:fs';
import { readProcessStat, signalProcess } from '../../process-stat.ts';
import type { Supervisor } from './run-folder.ts';

/** Whether anything of the group still runs; a zombie does not. Reads Linux's /proc. */
export function isGroupAlive(supervisor: Supervisor): boolean {
  return isSupervisorAlive(supervisor) || members(supervisor).length > 0;
}

/** Sends a signal to every member. Nothing happens when all are gone. */
export function signalGroup(supervisor: Supervisor, signal: NodeJS.Signals): void {
  for (const pid of members(supervisor)) signalProcess(pid, signal);
}

/** Start time of this process as /proc has it: with the pid it names a process unmistakably. */
export function ownIdentity(): Supervisor {
  const stat = readProcessStat(process.pid);
  if (!stat) throw new Error('the process runner needs /proc of Linux');
  return { pid: process.pid, startTime: stat.startTime };
}

/** Whether the supervisor itself still runs. */
export function isSupervisorAlive(supervisor: Supervisor): boolean {
  return supervisor.pid !== 0 && readProcessStat(supervisor.pid)?.startTime === supervisor.startTime;
}

function members(supervisor: Supervisor): number[] {
  if (supervisor.pid === 0) return [];
  const leader = readProcessStat(supervisor.pid);
  // The pid went to a stranger: then no member was left, or the number would not have been free.
  if (leader && leader.startTime !== supervisor.startTime) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const stat = readProcessStat(pid);
      return stat?.group === supervisor.pid && Number(stat.startTime) >= Number(supervisor.startTime);
    });
}
