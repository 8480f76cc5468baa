/** Runs the sync program in the foreground, for its check and for `connector`: with the environment that a job would have, but no supervisor. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Key, StepSpec } from '../../domain/job.ts';
import { settingsFile } from '../../domain/names.ts';
import { ROOT, SYNC_PROGRAM } from './own-programs.ts';

export type Checked = {
  /** Exit code or signal. */
  readonly end: number | NodeJS.Signals | null;
  /** Its standard output, if it was wanted. */
  readonly output: string;
};

/**
 * @param of.spec step of a sync; its action gives way to `check`
 * @param of.settings file of source and sink; undefined: that of a job
 * @param of.json collect the findings as JSON; else they go to our own standard output, as lines
 */
export async function runCheckProgram(of: {
  key: Key;
  spec: Pick<StepSpec, 'args' | 'environment'>;
  dataDir: string;
  settings: string | undefined;
  json: boolean;
}): Promise<Checked> {
  const { spec, json } = of;
  const argv = ['check', ...spec.args.slice(1), ...(json ? ['--json'] : [])];
  return await runSyncProgram({ ...of, argv, environment: spec.environment });
}

/** @param of.json collect its standard output; else it goes to our own */
export async function runSyncProgram(of: {
  key: Key;
  argv: readonly string[];
  environment: StepSpec['environment'];
  dataDir: string;
  settings: string | undefined;
  json: boolean;
}): Promise<Checked> {
  const { key, argv, environment, dataDir, settings = path.join(dataDir, settingsFile(key)), json } = of;
  const child = spawn(process.execPath, [SYNC_PROGRAM, ...argv], {
    cwd: ROOT,
    env: {
      // Nothing else of ours: as in a job, source and sink are set by the file alone.
      ...inherited('PATH', 'HOME', 'TZ'),
      ...environment,
      SYNCRATOR_ENV: key.env,
      SYNCRATOR_TARGET: key.target,
      SYNCRATOR_SETTINGS_FILE: path.resolve(settings),
    },
    stdio: ['ignore', json ? 'pipe' : 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const output = child.stdout === null ? '' : await text(child.stdout);
  const [code, signal] = await exited;
  return { end: signal ?? code, output };
}

function inherited(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
