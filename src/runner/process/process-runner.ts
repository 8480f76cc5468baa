/** Runner `process`: each attempt is a folder under `<data>/runs` and a supervisor that outlives the worker. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rename, rm, watch } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { shareOf } from '../../domain/log-chunks.ts';
import type { Key } from '../../domain/job.ts';
import { describeAttempt, isSameAttempt, jobPart, settingsFile } from '../../domain/names.ts';
import type { Launched, Listed, Observation, Runner, StepEnd, StepLaunch } from '../runner.ts';
import { diagnoseProcess } from './diagnose.ts';
import { lentFile } from './lent-settings.ts';
import { openLogFile, readLogEnd } from './log-file.ts';
import { secretEnvironment } from '../program.ts';
import { signalProcess } from './process-stat.ts';
import { ROOT, SUPERVISOR } from './own-programs.ts';
import { isGroupAlive, isSupervisorAlive, signalGroup } from './process-group.ts';
import type { ProgramUsers } from './program-users.ts';
import { renderProcess } from './render.ts';
import {
  createRunFolder,
  type Exit,
  isCode,
  listRunFolders,
  type RunSpec,
  readExit,
  readSpec,
  readSupervisor,
  takeSupervision,
} from './run-folder.ts';

export type ProcessRunnerOptions = {
  readonly dataDir: string;
  /** Name of this installation; folders of other installations are ignored. */
  readonly installation: string;
  /** Seconds between SIGTERM and SIGKILL; default 30, as in Kubernetes. */
  readonly graceSeconds?: number;
  /** Stored bytes of a step's log (LOG_LIMIT). */
  readonly logLimit?: number;
  /** System users of the programs; without it programs run as the worker's user. */
  readonly users?: ProgramUsers | undefined;
};

const LOG_LIMIT = 16 * 1024 ** 2;

type Place = { readonly name: string; readonly folder: string };

export function createProcessRunner(options: ProcessRunnerOptions): Runner {
  const { dataDir } = options;
  const runsDir = path.join(dataDir, 'runs');
  const folderOf = (name: string) => path.join(runsDir, name);
  return {
    launch: (step) => launch(folderOf(step.name), step, options),
    list: (of) => list(runsDir, options.installation, of),
    async observe({ name, uid }) {
      const spec = await readSpec(folderOf(name));
      if (!spec || (uid !== null && spec.uid !== uid)) return { state: 'absent' };
      return await observeFolder(folderOf(name));
    },
    async changed(name, signal) {
      try {
        for await (const _ of watch(folderOf(name), { signal })) return;
      } catch (error) {
        // Without a watch (no such folder yet, or no inotify watches left) the caller's next poll finds the change.
        if (!signal.aborted) await once(signal, 'abort');
        if (!(error instanceof Error)) throw error;
      }
    },
    openLog: ({ name, uid }, from, keep) => openLogFile(folderOf(name), uid, from, keep),
    remove: ({ name, uid, force }) => endRun(dataDir, { name, folder: folderOf(name) }, { uid, force }),
    forget: ({ name, uid }) => deleteRun(dataDir, { name, folder: folderOf(name) }, uid),
    diagnose: diagnoseProcess,
  };
}

async function launch(folder: string, step: StepLaunch, options: ProcessRunnerOptions): Promise<Launched> {
  const spec = runSpec(step, options);
  let created: boolean;
  try {
    created = await createRunFolder(folder, spec);
  } catch (error) {
    if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    return { kind: 'waiting', reason: 'disk_full', detail: `the disk of ${options.dataDir} is full` };
  }
  const found = created ? spec : await readSpec(folder);
  if (!found) return { kind: 'being_deleted' };
  if (!isSameAttempt(found.labels, step.labels))
    return { kind: 'name_conflict', owner: describeAttempt(found.labels) };
  if (!(await readSupervisor(folder))) await startSupervisor(folder, step, options.dataDir);
  return { kind: 'launched', uid: found.uid };
}

function runSpec(step: StepLaunch, options: ProcessRunnerOptions): RunSpec {
  const { dataDir, graceSeconds = 30, logLimit = LOG_LIMIT, users } = options;
  const { labels } = step;
  const rendered = renderProcess({
    labels,
    originUid: step.originUid,
    jobId: labels.jobId,
    spec: step.spec,
    name: step.name,
    settingsFile: path.join(dataDir, settingsFile(labels)),
    reportUrl: step.reportUrl,
    traceparent: step.traceparent,
  });
  return {
    uid: randomUUID(),
    labels,
    ...rendered,
    timeoutSeconds: step.spec.startTimeoutSeconds + step.spec.timeoutSeconds,
    graceSeconds,
    keep: shareOf(logLimit),
    ...(users && { user: users(labels) }),
    createdAt: new Date().toISOString(),
  };
}

async function list(
  runsDir: string,
  installation: string,
  of: Parameters<Runner['list']>[0],
): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const name of await listRunFolders(runsDir)) {
    if (of && 'jobUid' in of && !name.includes(jobPart(of.jobUid))) continue;
    const folder = path.join(runsDir, name);
    const spec = await readSpec(folder);
    if (!spec || spec.labels.installation !== installation || !matches(spec, of)) continue;
    const live = await isLive(folder);
    // A run that was deleted between the two reads would look as if its supervisor were about to start.
    if (live && (await readSpec(folder))?.uid !== spec.uid) continue;
    const { uid, labels } = spec;
    listed.push({ name, uid, labels, live, removing: false, createdAt: new Date(spec.createdAt) });
  }
  return listed;
}

async function endRun(
  dataDir: string,
  { name, folder }: Place,
  { uid, force }: { uid: string; force: boolean },
): Promise<void> {
  if ((await readSpec(folder))?.uid !== uid) return;
  let supervisor = await readSupervisor(folder);
  // Takes the place of a supervisor that has not started yet, so that it never starts the program.
  if (!supervisor && (await takeSupervision(folder, { pid: 0, startTime: '' }))) return;
  supervisor ??= await readSupervisor(folder);
  if (!supervisor) return;
  if (isSupervisorAlive(supervisor) && !force) return signalProcess(supervisor.pid, 'SIGTERM');
  signalGroup(supervisor, 'SIGKILL');
  await removeLentSettings(dataDir, name);
}

async function deleteRun(dataDir: string, { name, folder }: Place, uid: string): Promise<void> {
  if ((await readSpec(folder))?.uid !== uid || (await isLive(folder))) return;
  await removeLentSettings(dataDir, name);
  // Renamed first, so that no listing shows a half-deleted folder as a run that is about to start.
  const deleted = path.join(path.dirname(folder), `.forgotten-${name}`);
  try {
    await rename(folder, deleted);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    return; // another worker was faster
  }
  await rm(deleted, { recursive: true, force: true });
}

/** Removes the copy of the settings that a killed supervisor could not remove. */
async function removeLentSettings(dataDir: string, name: string): Promise<void> {
  await rm(lentFile(dataDir, name), { force: true });
}

function matches(spec: RunSpec, of: Key | { readonly jobUid: string } | undefined): boolean {
  if (!of) return true;
  if ('jobUid' in of) return spec.labels.jobUid === of.jobUid;
  return spec.labels.env === of.env && spec.labels.target === of.target;
}

/** Starts the supervisor in its own session and process group, so that it survives the worker and its terminal. */
async function startSupervisor(folder: string, step: StepLaunch, dataDir: string): Promise<void> {
  const child = spawn(process.execPath, [SUPERVISOR, folder], {
    cwd: ROOT,
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...(process.env['TZ'] === undefined ? {} : { TZ: process.env['TZ'] }),
      // With Node's compile cache, supervisor and program start in less than half the time.
      NODE_COMPILE_CACHE: path.join(dataDir, 'compile-cache'),
      ...secretEnvironment(step),
    },
  });
  child.unref();
  await once(child, 'spawn');
}

async function isLive(folder: string): Promise<boolean> {
  const supervisor = await readSupervisor(folder);
  // Without a supervisor yet, it may be starting, unless the run has already ended.
  if (!supervisor) return (await readExit(folder)) === undefined;
  return isGroupAlive(supervisor);
}

async function observeFolder(folder: string): Promise<Observation> {
  const supervisor = await readSupervisor(folder);
  if (!supervisor) return { state: 'starting' };
  const exit = await readExit(folder);
  if (!exit && isSupervisorAlive(supervisor)) return { state: 'running' };
  if (isGroupAlive(supervisor)) {
    // The supervisor writes exit.json just before it kills its group and itself: wait for that.
    await wait(20);
    if (isGroupAlive(supervisor)) return { state: 'running' };
  }
  const known = exit ?? (await readExit(folder));
  const end: StepEnd = known ? endOf(known) : { kind: 'disappeared' };
  return { state: 'ended', end: end.kind === 'exited' ? { ...end, message: await readLogEnd(folder) } : end };
}

function endOf(exit: Exit): StepEnd {
  if (exit.reason === 'not_started') return { kind: 'not_started', detail: exit.detail };
  if (exit.exitCode === 0) return { kind: 'completed' };
  if (exit.reason === 'deadline') return { kind: 'deadline' };
  return exit.exitCode === null
    ? { kind: 'killed', signal: exit.signal ?? 'an unknown signal' }
    : { kind: 'exited', exitCode: exit.exitCode };
}
