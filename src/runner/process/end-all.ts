/** Ends every supervised step of a data folder, when `npm start` stops. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { signalProcess } from './process-stat.ts';
import { isGroupAlive, isSupervisorAlive, signalGroup } from './process-group.ts';
import { listRunFolders, readSupervisor, type Supervisor } from './run-folder.ts';

/**
 * Sends SIGTERM to all, and SIGKILL to those left after `graceMs`. Their folders stay, so that the next worker records
 * how they ended.
 * @returns how many were running
 */
export async function endAllSteps(dataDir: string, graceMs = 10_000): Promise<number> {
  const runsDir = path.join(dataDir, 'runs');
  const live: Supervisor[] = [];
  for (const name of await listRunFolders(runsDir)) {
    const supervisor = await readSupervisor(path.join(runsDir, name));
    if (supervisor && isGroupAlive(supervisor)) live.push(supervisor);
  }
  for (const supervisor of live)
    if (isSupervisorAlive(supervisor)) signalProcess(supervisor.pid, 'SIGTERM');
    else signalGroup(supervisor, 'SIGKILL');
  const deadline = Date.now() + graceMs;
  while (live.some(isGroupAlive) && Date.now() < deadline) await wait(50);
  for (const supervisor of live) signalGroup(supervisor, 'SIGKILL');
  return live.length;
}
