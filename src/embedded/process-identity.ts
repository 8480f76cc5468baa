/** Tells whether a process we once started is still that process, and ends it; works for orphans as for children. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { readProcessStat, signalProcess } from '../process-stat.ts';

/** A pid alone may have been given to another process since; with its start time it is unmistakable. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: string };

/** The identity of a living process; undefined when it is gone or a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = existsSync('/proc/self/stat') ? readProcessStat(pid)?.startTime : fromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** The command line of a process, or an empty string. */
export function commandLine(pid: number): string {
  try {
    if (existsSync('/proc/self/stat'))
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  } catch {
    return '';
  }
}

/** Resolves with true as soon as the process is gone, with false after `timeoutMs`. */
export async function waitForExit(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity)) {
    if (Date.now() >= deadline) return false;
    await wait(25);
  }
  return true;
}

/**
 * Sends the signals one after the other until the process is gone.
 * @param escalation signal and how long it is given, in milliseconds
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
  throw new Error(`${name} (pid ${identity.pid}) does not end; end it by hand: kill -9 ${identity.pid}`);
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
