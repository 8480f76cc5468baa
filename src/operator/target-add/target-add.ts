/**
 * `target add`: takes the settings of a new target from a file, or asks for them; tests source and sink, shows the first
 * records and what a first sync would do; writes the settings and the params files; names the next commands.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { readTargetPlaces } from '../../config/config.ts';
import { settingsFile } from '../../domain/names.ts';
import type { Key } from '../../domain/job.ts';
import { DECLARED_ACTIONS, type DeclaredAction } from '../../domain/action.ts';
import { CliFailure } from '../../terminal/failure.ts';
import { type Format, print } from '../../terminal/output.ts';
import { checkSync, syncOf } from '../target-check.ts';
import { type Timing } from '../target-choices.ts';
import { type NewTarget, nextCommands, paramsText, paramsTexts, secretCommand } from './new-target.ts';
import { refuseExisting, writeAll } from './write-target.ts';

export type Asked = {
  readonly key: Key;
  /** File of settings, `-` for stdin; undefined to ask for them. */
  readonly settings: string | undefined;
  readonly actions: readonly DeclaredAction[];
  readonly timing: Timing | null;
  readonly isChecked: boolean;
};

/** @throws CliFailure if nothing was written: a sync would fail, a file exists, a name or the schedule is not valid */
export async function addTarget(format: Format, asked: Asked): Promise<void> {
  const { key } = asked;
  const places = readTargetPlaces();
  const secretFile = path.join(places.dataDir, settingsFile(key));
  // Before any question, for it would be asked in vain.
  const possible = DECLARED_ACTIONS.map((action) =>
    path.join(places.jobParamsDir, paramsText(key, action, null).path),
  );
  await refuseExisting([secretFile, ...possible]);
  const target = asked.settings === undefined ? await askFor(format, asked) : await given(format, asked);
  const params = paramsTexts(target).map(({ path: file, text }) => ({
    path: path.join(places.jobParamsDir, file),
    text,
    isSecret: false,
  }));
  // The params files last: with the first of them the target appears.
  const files = [{ path: secretFile, text: target.settings, isSecret: true }, ...params];
  await writeAll(files);
  const written = files.map((file) => shortest(file.path));
  const next = nextCommands(target);
  const secret = secretCommand(key, shortest(secretFile));
  print(format, { files: written, next, on_kubernetes: secret }, () =>
    wordsOf({ Wrote: written, Next: next, 'On Kubernetes, first': [secret] }),
  );
}

function wordsOf(parts: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(parts)
    .map(([head, lines]) => [`\n${head}`, ...lines.map((line) => `  ${line}`)].join('\n'))
    .join('');
}

/** Relative to the current folder if it lies in there. */
function shortest(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative;
}

async function askFor(format: Format, { key }: Asked): Promise<NewTarget> {
  if (!process.stdin.isTTY)
    throw new CliFailure('no terminal to ask questions at: give the settings with --settings <file>');
  const { converse } = await import('./conversation.ts');
  return await converse(key, async (settings) => {
    try {
      await check(format, key, settings);
      return true;
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      process.stderr.write(`${error.message}\n`);
      return false;
    }
  });
}

async function given(
  format: Format,
  { key, settings: file, actions, timing, isChecked }: Asked,
): Promise<NewTarget> {
  const settings = file === '-' ? await textOf(process.stdin) : await readSettings(file ?? '');
  const target = { key, settings, actions, timing };
  // Faults of the schedule show before the check, which may take a while.
  paramsTexts(target);
  if (isChecked) await check(format, key, settings);
  return target;
}

async function readSettings(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliFailure(`cannot read --settings ${file}: ${(error as Error).message}`);
  }
}

/** Prints the findings, for people alone. @throws CliFailure if a sync would fail, or was not checked */
async function check(format: Format, key: Key, settings: string): Promise<void> {
  const { dataDir } = readTargetPlaces();
  const step = syncOf(paramsText(key, 'sync', null).file);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncrator-add-'));
  const copy = path.join(folder, 'settings.env');
  try {
    await writeFile(copy, settings, { mode: 0o600 });
    // Faults shall name the file that people will edit.
    const environment = { ...step.environment, SYNCRATOR_SETTINGS_COPY_OF: settingsFile(key) };
    await checkSync(format, { key, spec: { ...step, environment }, dataDir, settings: copy });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
