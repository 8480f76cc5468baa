/** Runner `process`: each attempt is a folder under `<data>/runs` and a supervisor that outlives the worker. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rename, rm, watch } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Key } from '../../domain/job.ts';
import { describeAttempt, isSameAttempt, jobPart } from '../../domain/names.ts';
import type { Listed, Observation, Runner, StepEnd, StepLaunch } from '../runner.ts';
import { diagnoseProcess } from './diagnose.ts';
import { openLogFile } from './log-file.ts';
import { secretEnvironment } from '../program.ts';
import { signalProcess } from '../../process-stat.ts';
import { ROOT, SUPERVISOR } from './own-programs.ts';
import { isGroupAlive, isSupervisorAlive, signalGroup } from './process-group.ts';
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
  /** Ours; folders of another installation in the same data folder are none of our business. */
  readonly installation: string;
  /** Seconds between SIGTERM and SIGKILL; Kubernetes' own default is 30. */
  readonly graceSeconds?: number;
};

export function createProcessRunner(options: ProcessRunnerOptions): Runner {
  const runsDir = path.join(options.dataDir, 'runs');
  const folderOf = (name: string) => path.join(runsDir, name);

  return {
    async launch(step) {
      const folder = folderOf(step.name);
      const spec = runSpec(step, options);
      const created = await createRunFolder(folder, spec);
      const found = created ? spec : await readSpec(folder);
      if (!found) return { kind: 'being_deleted' };
      if (!isSameAttempt(found.labels, step.labels))
        return { kind: 'name_conflict', owner: describeAttempt(found.labels) };
      if (!(await readSupervisor(folder))) await startSupervisor(folder, step, options.dataDir);
      return { kind: 'launched', uid: found.uid };
    },

    async list(of) {
      const listed: Listed[] = [];
      for (const name of await listRunFolders(runsDir)) {
        if (of && 'jobUid' in of && !name.includes(jobPart(of.jobUid))) continue;
        const spec = await readSpec(folderOf(name));
        if (!spec || spec.labels.installation !== options.installation || !matches(spec, of)) continue;
        const live = await isLive(folderOf(name));
        // Forgotten while we looked, it would look as if it were about to start.
        if (live && (await readSpec(folderOf(name)))?.uid !== spec.uid) continue;
        listed.push({
          name,
          uid: spec.uid,
          labels: spec.labels,
          live,
          removing: false,
          createdAt: new Date(spec.createdAt),
        });
      }
      return listed;
    },

    async observe({ name, uid }) {
      const folder = folderOf(name);
      const spec = await readSpec(folder);
      if (!spec || (uid !== null && spec.uid !== uid)) return { state: 'absent' };
      return await observeFolder(folder);
    },

    async changed(name, signal) {
      try {
        for await (const _ of watch(folderOf(name), { signal })) return;
      } catch (error) {
        // No hint to be had (no such folder yet, or no inotify left on this machine): the next look comes anyway.
        if (!signal.aborted) await once(signal, 'abort');
        if (!(error instanceof Error)) throw error;
      }
    },

    openLog: ({ name, uid }, from, keep) => openLogFile(folderOf(name), uid, from, keep),

    async remove({ name, uid, force }) {
      const folder = folderOf(name);
      if ((await readSpec(folder))?.uid !== uid) return;
      let supervisor = await readSupervisor(folder);
      // Takes the supervisor's place if none has come: then none ever starts the program.
      if (!supervisor && (await takeSupervision(folder, { pid: 0, startTime: '' }))) return;
      supervisor ??= await readSupervisor(folder);
      if (!supervisor) return;
      if (isSupervisorAlive(supervisor) && !force) signalProcess(supervisor.pid, 'SIGTERM');
      else signalGroup(supervisor, 'SIGKILL');
    },

    async forget({ name, uid }) {
      const folder = folderOf(name);
      if ((await readSpec(folder))?.uid !== uid || (await isLive(folder))) return;
      // At once out of every listing: while its files go one by one, it would look as if it were about to start.
      const forgotten = path.join(runsDir, `.forgotten-${name}`);
      try {
        await rename(folder, forgotten);
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error;
        return; // another one was quicker
      }
      await rm(forgotten, { recursive: true, force: true });
    },

    diagnose: diagnoseProcess,
  } satisfies Runner;

  function runSpec(step: StepLaunch, { dataDir, graceSeconds = 30 }: ProcessRunnerOptions): RunSpec {
    const { labels } = step;
    const key: Key = { env: labels.env, target: labels.target };
    const rendered = renderProcess({
      key,
      jobId: labels.jobId,
      spec: step.spec,
      name: step.name,
      settingsFile: path.join(dataDir, 'envtarget', `${key.env}-${key.target}.env`),
      reportUrl: step.reportUrl,
      traceparent: step.traceparent,
    });
    return {
      uid: randomUUID(),
      labels,
      ...rendered,
      timeoutSeconds: step.spec.startTimeoutSeconds + step.spec.timeoutSeconds,
      graceSeconds,
      createdAt: new Date().toISOString(),
    };
  }
}

function matches(spec: RunSpec, of: Key | { readonly jobUid: string } | undefined): boolean {
  if (!of) return true;
  if ('jobUid' in of) return spec.labels.jobUid === of.jobUid;
  return spec.labels.env === of.env && spec.labels.target === of.target;
}

/** Starts it in a session and group of its own, away from the worker's terminal and fate. */
async function startSupervisor(folder: string, step: StepLaunch, dataDir: string): Promise<void> {
  const child = spawn(process.execPath, [SUPERVISOR, folder], {
    cwd: ROOT,
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...(process.env['TZ'] === undefined ? {} : { TZ: process.env['TZ'] }),
      // Node keeps what it made of our TypeScript: supervisor and program start in less than half the time.
      NODE_COMPILE_CACHE: path.join(dataDir, 'compile-cache'),
      ...secretEnvironment(step),
    },
  });
  child.unref();
  await once(child, 'spawn');
}

async function isLive(folder: string): Promise<boolean> {
  const supervisor = await readSupervisor(folder);
  // No supervisor yet: it may be on its way, unless the folder is forgotten.
  if (!supervisor) return (await readExit(folder)) === undefined;
  return isGroupAlive(supervisor);
}

async function observeFolder(folder: string): Promise<Observation> {
  const supervisor = await readSupervisor(folder);
  if (!supervisor) return { state: 'starting' };
  const exit = await readExit(folder);
  if (!exit && isSupervisorAlive(supervisor)) return { state: 'running' };
  if (isGroupAlive(supervisor)) {
    // exit.json is written just before the supervisor ends its group and itself: give it that moment.
    await wait(20);
    if (isGroupAlive(supervisor)) return { state: 'running' };
  }
  const known = exit ?? (await readExit(folder));
  return { state: 'ended', end: known ? endOf(known) : { kind: 'disappeared' } };
}

function endOf(exit: Exit): StepEnd {
  if (exit.reason === 'not_started') return { kind: 'not_started', detail: exit.detail };
  if (exit.exitCode === 0) return { kind: 'completed' };
  if (exit.reason === 'deadline') return { kind: 'deadline' };
  return exit.exitCode === null
    ? { kind: 'killed', signal: exit.signal ?? 'an unknown signal' }
    : { kind: 'exited', exitCode: exit.exitCode };
}
