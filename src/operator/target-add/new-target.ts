/** A target that is about to be added, and the text of its files. */
import { settingsKey } from '../../domain/names.ts';
import type { Key } from '../../domain/job.ts';
import { faultText } from '../../job-params/load.ts';
import { type ParamsFile, parseParamsFile } from '../../job-params/parse.ts';
import type { DeclaredAction } from '../../domain/action.ts';
import type { Timing } from '../target-choices.ts';
import { CliFailure } from '../../terminal/failure.ts';

export type NewTarget = {
  readonly key: Key;
  /** Lines of KEY=value, which may hold secrets. */
  readonly settings: string;
  readonly actions: readonly DeclaredAction[];
  readonly timing: Timing | null;
};

export type ParamsText = { readonly path: string; readonly text: string; readonly file: ParamsFile };

/** The scheduled action: the first of these that the target has. */
const BY_NIGHT: readonly DeclaredAction[] = ['diff', 'sync', 'delta', 'delete'];

/** The params file of each action, relative to JOB_PARAMS. @throws CliFailure naming each fault of names and schedule */
export function paramsTexts({ key, actions, timing }: Omit<NewTarget, 'settings'>): ParamsText[] {
  const scheduled = BY_NIGHT.find((action) => actions.includes(action));
  return actions.map((action) => paramsText(key, action, action === scheduled ? timing : null));
}

/** @throws CliFailure naming each fault */
export function paramsText(key: Key, action: DeclaredAction, timing: Timing | null): ParamsText {
  const { env, target } = key;
  const lines = [
    ...paramsLines(key, action, '-n 1000'),
    ...(timing === null ? [] : [`SCHEDULE=${timing.schedule}`, `TIMEZONE=${timing.timezone}`]),
  ];
  const text = `${lines.join('\n')}\n`;
  const path = `${env}/${target}-${action}.public_params`;
  const file = parseParamsFile(text, { file: path, env, name: target, action });
  if ('parameters' in file) return { path, text, file };
  throw new CliFailure(file.map(faultText).join('\n'));
}

/** The lines that the params file of every action has. */
export function paramsLines({ env, target }: Key, action: DeclaredAction, options: string): string[] {
  return [
    `TARGET=${target}`,
    `ENV=${env}`,
    `ACTION_NAME=${action}`,
    `ACTION=${action}`,
    'IS_TAG=latest',
    `OPTIONS=${options}`,
  ];
}

/** The commands that follow. */
export function nextCommands({ key, actions }: NewTarget): string[] {
  const first = actions.includes('sync') ? 'sync' : (actions[0] ?? 'sync');
  return ['syncrator reload', `syncrator ${first} ${key.target} ${key.env} --follow`];
}

/** Makes the Secret from which pods take the settings. @param file the settings */
export function secretCommand(key: Key, file: string): string {
  return `kubectl create secret generic syncrator-envtarget-${settingsKey(key)} --from-env-file=${file}`;
}
