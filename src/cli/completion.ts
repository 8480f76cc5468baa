/** What could follow the words typed so far: commands and options from the tree, names from the server. */
import type { Complete, Command as Completing, RootCommand } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { ROLES } from '../domain/grant.ts';
import { JOB_STATUSES } from '../domain/status.ts';
import { SHELLS } from './complete-command.ts';
import { askNames, type Names, type Start } from './completion-names.ts';
import { FORMATS } from './output.ts';

/** The commands that take a target and an environment. */
const STARTS = ['sync', 'delta', 'delete', 'diff', 'rollback', 'run'] as const;

/** A word, and what is said of it. */
type Suggestions = Iterable<readonly [word: string, what: string]>;

/**
 * Prints one suggestion a line, as the shells' scripts expect them.
 * @param program without `complete`, which the adapter adds
 * @param words the last one is being typed, and may be empty
 */
export async function complete(
  program: Command,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const root = tab(program);
  const group = words.slice(0, -1).find((word) => root.commands.has(word));
  suggestNames(root, await askNames(group, words, environment), words);
  suggestWords(root);
  root.parse([...words]);
}

function suggestNames(root: RootCommand, names: Names, words: readonly string[]): void {
  for (const command of STARTS) {
    const isOwn = ({ action }: Start) => action === command || command === 'rollback' || command === 'run';
    const own = names.starts.filter(isOwn);
    argument(root, command, 'target', () => grouped(own, 'name', 'env'));
    const typed = own.filter(({ name }) => words.includes(name));
    argument(root, command, 'env', () => grouped(typed, 'env', 'action'));
  }
  const targets = () => names.targets.map(({ name, envs }) => [name, envs.join(', ')] as const);
  argument(root, 'targets', 'name', targets);
  option(root, 'jobs list', 'target', targets);
  option(root, 'jobs list', 'env', () => {
    const envs = names.targets.flatMap((target) => target.envs);
    return [...new Set(envs)].map((env) => [env, ''] as const);
  });
  for (const verb of ['show', 'run', 'pause', 'resume'])
    argument(root, `schedules ${verb}`, 'id', () =>
      names.schedules.map(({ id, what }) => [id, what] as const),
    );
  for (const [verb, ended] of [
    ['show', true],
    ['logs', true],
    ['cancel', false],
    ['watch', false],
  ] as const)
    argument(root, `jobs ${verb}`, 'id', () =>
      names.jobs.filter(({ isActive }) => ended || isActive).map(({ id, what }) => [id, what] as const),
    );
}

function suggestWords(root: RootCommand): void {
  const each = (words: readonly string[]) => () => words.map((word) => [word, ''] as const);
  option(root, 'jobs list', 'status', each(JOB_STATUSES));
  option(root, 'jobs list', 'action', each(['sync', 'delta', 'delete', 'diff', 'rollback']));
  option(root, 'users add', 'role', each(ROLES));
  argument(root, 'users role', 'role', each(ROLES));
  option(root, 'tokens create', 'role', each(ROLES));
  argument(root, 'complete', 'shell', each(SHELLS));
  // `jobs` alone is `jobs list`, options included.
  for (const [name, of] of found(root, 'jobs list').options) found(root, 'jobs').options.set(name, of);
  // The adapter gives a command its own options alone, and these may stand anywhere.
  for (const command of [root, ...root.commands.values()]) {
    command.option('output', FORMATS.join(', '), suggesting(each(FORMATS)));
    command.option('url', 'the server', suggesting(each([])));
    command.option('reason', 'why, for the audit', suggesting(each([])));
  }
}

/** Each word once, with all that is said of it. */
function grouped(starts: readonly Start[], word: keyof Start, what: keyof Start): Suggestions {
  return [...Map.groupBy(starts, (start) => start[word])].map(
    ([key, those]) => [key, [...new Set(those.map((start) => start[what]))].join(', ')] as const,
  );
}

function argument(root: RootCommand, command: string, name: string, suggest: () => Suggestions): void {
  const of = found(root, command).arguments.get(name);
  if (!of) throw new Error(`completion: ${command} has no <${name}>`);
  of.handler = suggesting(suggest);
}

function option(root: RootCommand, command: string, name: string, suggest: () => Suggestions): void {
  const of = found(root, command).options.get(name);
  if (!of) throw new Error(`completion: ${command} has no --${name}`);
  of.handler = suggesting(suggest);
}

function suggesting(suggest: () => Suggestions): (complete: Complete) => void {
  return (complete) => {
    for (const [word, what] of suggest()) complete(word, what);
  };
}

/** @throws Error when the tree of commands has changed and this has not */
function found(root: RootCommand, command: string): Completing {
  const of = root.commands.get(command);
  if (!of) throw new Error(`completion: there is no command ${command}`);
  return of;
}
