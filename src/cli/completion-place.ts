/** Finds the place of an unfinished line in the tree of commands: the argument or the option value being typed. */
import type { Argument, Command, Option } from 'commander';

export type Place = {
  /** Without the program's name: `jobs list`. */
  readonly path: string;
  readonly command: Command;
  /** Commands that may follow. */
  readonly subcommands: readonly Command[];
  readonly options: readonly Option[];
  /** The option whose value is being typed. */
  readonly option?: Option;
  readonly argument?: Argument;
  /** The part of the word before the value: `--status=`. */
  readonly prefix: string;
  /** The part of the value typed so far. */
  readonly typed: string;
};

/** @param words the last is unfinished and may be empty (some shells write two quotes for that) */
export function placeOf(program: Command, words: readonly string[]): Place {
  const last = words.at(-1) ?? '';
  const walk = { command: program, path: [] as string[], arguments: 0, onlyArguments: false };
  let option: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (option) option = undefined;
    else if (word === '--') walk.onlyArguments = true;
    else if (word.startsWith('-') && !walk.onlyArguments) option = awaiting(walk.command, word);
    else step(walk, word);
  }
  return { ...standing(walk, option, /^(""|'')$/.test(last) ? '' : last), path: walk.path.join(' ') };
}

type Walk = { command: Command; path: string[]; arguments: number; onlyArguments: boolean };

function step(walk: Walk, word: string): void {
  const sub = walk.arguments === 0 ? walk.command.commands.find((one) => one.name() === word) : undefined;
  if (!sub) {
    walk.arguments += 1;
    return;
  }
  walk.command = sub;
  walk.path.push(word);
}

/** @returns the option whose value the next word is */
function awaiting(command: Command, word: string): Option | undefined {
  const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
  return option?.required ? option : undefined;
}

function standing(walk: Walk, option: Option | undefined, last: string): Omit<Place, 'path'> {
  const { command } = walk;
  const here = { command, subcommands: [], options: [], prefix: '', typed: last };
  if (option) return { ...here, option };
  const [name = '', ...value] = last.split('=');
  const own = walk.onlyArguments ? undefined : optionsOf(command).find(({ long }) => long === name);
  if (own && value.length > 0) return { ...here, option: own, prefix: `${name}=`, typed: value.join('=') };
  const argument = command.registeredArguments.at(
    Math.min(walk.arguments, command.registeredArguments.length - 1),
  );
  const isBeyond = walk.arguments >= command.registeredArguments.length && !argument?.variadic;
  return {
    ...here,
    subcommands: walk.arguments === 0 ? command.createHelp().visibleCommands(command) : [],
    options: last.startsWith('-') && !walk.onlyArguments ? optionsOf(command) : [],
    ...(argument && !isBeyond ? { argument } : {}),
  };
}

/** @returns the command's own options, those of its default command, and the global ones */
function optionsOf(command: Command): Option[] {
  const others = command.createHelp().visibleOptions(command);
  return [...new Set([...others, ...(defaultOf(command)?.options ?? []), ...rootOf(command).options])];
}

/** @returns `jobs list` for `jobs`, `db status` for `db` */
function defaultOf(command: Command): Command | undefined {
  return command.commands.find((one) => ['list', 'status'].includes(one.name()));
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}
