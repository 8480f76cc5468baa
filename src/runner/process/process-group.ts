/**
 * Process group of one attempt: supervisor and program share the group whose id is the supervisor's pid. The kernel does
 * not reuse that number while a member lives, so the group can be found again after the supervisor has died.
 */
import { readdirSync } from 'node:fs';
import { readProcessStat, signalProcess } from './process-stat.ts';
import type { Supervisor } from './run-folder.ts';

/** Whether a process of the group still runs, zombies excluded. Reads Linux's /proc. */
export function isGroupAlive(supervisor: Supervisor): boolean {
  return isSupervisorAlive(supervisor) || members(supervisor).length > 0;
}

/** Sends a signal to every member; does nothing when all are gone. */
export function signalGroup(supervisor: Supervisor, signal: NodeJS.Signals): void {
  for (const pid of members(supervisor)) signalProcess(pid, signal);
}

/** Pid and start time of this process, which together identify it: pids alone are reused. */
export function ownIdentity(): Supervisor {
  const stat = readProcessStat(process.pid);
  if (!stat) throw new Error('cannot read /proc/self/stat: the process runner needs /proc of Linux');
  return { pid: process.pid, startTime: stat.startTime };
}

/** Whether the supervisor itself still runs. */
export function isSupervisorAlive(supervisor: Supervisor): boolean {
  return supervisor.pid !== 0 && readProcessStat(supervisor.pid)?.startTime === supervisor.startTime;
}

function members(supervisor: Supervisor): number[] {
  if (supervisor.pid === 0) return [];
  const leader = readProcessStat(supervisor.pid);
  // Another process has the pid, so no member was left: the kernel would not have reused it otherwise.
  if (leader && leader.startTime !== supervisor.startTime) return [];
  // Usually nothing of the group is left. One system call says so; a walk over /proc reads every process.
  if (!hasProcesses(supervisor.pid)) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const stat = readProcessStat(pid);
      return stat?.group === supervisor.pid && Number(stat.startTime) >= Number(supervisor.startTime);
    });
}

/** Whether the kernel knows a process of the group, zombies included. */
function hasProcesses(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // EPERM: the group has processes, of another user.
    if (code === 'EPERM') return true;
    throw error;
  }
}
