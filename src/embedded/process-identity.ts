/** Identifies processes by pid and start time, and ends them; works for orphans and children. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { readProcessStat, signalProcess } from '../runner/process/process-stat.ts';

/** Pid and start time; pids alone are reused. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: string };

/** Identity of a running process; undefined when it is gone or a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = existsSync('/proc/self/stat') ? readProcessStat(pid)?.startTime : fromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Command line of a process, or an empty string when it is gone. */
export function commandLine(pid: number): string {
  try {
    if (existsSync('/proc/self/stat'))
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  } catch {
    return '';
  }
}

/** Resolves with true once the process is gone, with false after `timeoutMs`. */
async function waitForExit(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity)) {
    if (Date.now() >= deadline) return false;
    await wait(25);
  }
  return true;
}

/**
 * Sends the signals one after another until the process is gone.
 * @param escalation signals, each with its timeout in milliseconds
 * @throws Error when the process outlives all of them
 */
export async function endProcess(
  name: string,
  identity: ProcessIdentity,
  escalation: ReadonlyArray<readonly [NodeJS.Signals, number]>,
): Promise<void> {
  for (const [signal, timeoutMs] of escalation) {
    if (!isAlive(identity)) return;
    signalProcess(identity.pid, signal);
    if (await waitForExit(identity, timeoutMs)) return;
  }
  throw new Error(
    `${name} (pid ${identity.pid}) does not end after ${escalation.map(([signal]) => signal).join(', ')}: kill it by hand with kill -9 ${identity.pid}`,
  );
}

function fromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 5_000,
    }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim();
  } catch {
    return undefined;
  }
}
