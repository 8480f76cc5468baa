/** Runs the sync program's check in the foreground: with the environment that a job would have, but no supervisor. */
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
  const { key, spec, dataDir, settings = path.join(dataDir, settingsFile(key)), json } = of;
  const args = [SYNC_PROGRAM, 'check', ...spec.args.slice(1), ...(json ? ['--json'] : [])];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: {
      // Nothing else of ours: as in a job, source and sink are set by the file alone.
      ...inherited('PATH', 'HOME', 'TZ'),
      ...spec.environment,
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
