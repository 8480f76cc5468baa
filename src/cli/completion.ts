/** Completes an unfinished line: commands and options from the tree, names from the server. */
import type { Command } from 'commander';
import {
  DECLARED_ACTIONS,
  FORGET,
  PLANNABLE,
  ROLLBACK_PREVIEW,
  STORY,
  TAKE_OVER,
  TARGET_ACTIONS,
} from '../domain/action.ts';
import { ROLES } from '../domain/permission.ts';
import { JOB_STATUSES } from '../domain/status.ts';
import { askNames, type Names, type Start } from './completion-names.ts';
import { type Place, placeOf } from './completion-place.ts';
import { FORMATS } from '../terminal/output.ts';

/** The commands that take a target and an environment. */
const STARTS = [...TARGET_ACTIONS, 'run', 'plan'] as const;
const DECLARED: readonly string[] = DECLARED_ACTIONS;

type Suggestion = readonly [word: string, description: string];
/** Keys: a command with its argument (`sync target`) or option (`jobs list --env`); a global option alone. */
type Places = Map<string, () => readonly Suggestion[]>;

/**
 * Prints one suggestion per line: a word, a tab, a description.
 * @param words the last is unfinished and may be empty
 */
export async function complete(
  program: Command,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const place = placeOf(program, words);
  // While the server's address is unfinished, asks no server: the token would go to the wrong host.
  const group = place.option?.long === '--url' ? undefined : place.path.split(' ')[0];
  const names = await askNames(group, words, environment);
  const lines = suggestions(place, placesOf(names, words))
    .filter(([word]) => word.startsWith(place.typed))
    .map(([word, description]) => `${place.prefix}${word}\t${inOneLine(description)}\n`);
  process.stdout.write(lines.join(''));
}

/** Lists the places with suggestions of ours or of the server's. Exported for the test that each is in the tree. */
export function placesOf(names: Names, words: readonly string[]): Places {
  const { targets, schedules, jobs, losses, plans } = names;
  const named = (list: typeof targets) => list.map(({ name, envs }) => [name, envs.join(', ')] as const);
  const described = (list: readonly { id: string; what: string }[]) =>
    list.map(({ id, what }) => [id, what] as const);
  const ended = jobs.filter(({ isActive, target }) => !isActive && words.includes(target));
  const active = jobs.filter(({ isActive }) => isActive);
  return new Map([
    ...ofStarts(names, words),
    ['rollback --before', () => described(ended)],
    ['targets name', () => named(targets)],
    ...['jobs', 'losses', 'plans'].flatMap((list) => [
      [`${list} list --target`, () => named(targets)] as const,
      [`${list} list --env`, () => each([...new Set(targets.flatMap(({ envs }) => envs))])] as const,
    ]),
    ...['show', 'run', 'pause', 'resume'].map(
      (verb) => [`schedules ${verb} id`, () => described(schedules)] as const,
    ),
    ...['show', 'logs'].map((verb) => [`jobs ${verb} id`, () => described(jobs)] as const),
    ...['cancel', 'watch'].map((verb) => [`jobs ${verb} id`, () => described(active)] as const),
    ...['show', 'records', 'approve', 'keep'].map(
      (verb) => [`losses ${verb} id`, () => described(losses)] as const,
    ),
    ...['show', 'apply'].map((verb) => [`plans ${verb} id`, () => described(plans)] as const),
    ...ofWords(),
  ]);
}

function ofStarts({ starts }: Names, words: readonly string[]): Places {
  const places: Places = new Map();
  for (const command of [
    ...STARTS,
    'story',
    'forget',
    'sink take-over',
    'target check',
    'connector discover',
  ]) {
    const takes = ({ action }: Start) => action === command || !DECLARED.includes(command);
    const own = starts.filter(takes);
    const ofTarget = own.filter(({ name }) => words.includes(name));
    places.set(`${command} target`, () => grouped(own, 'name', 'env'));
    places.set(`${command} env`, () => grouped(ofTarget, 'env', 'action'));
  }
  return places;
}

function ofWords(): Places {
  return new Map([
    ['plan action', () => each(PLANNABLE)],
    ['jobs list --status', () => each(JOB_STATUSES)],
    ['jobs list --action', () => each([...TARGET_ACTIONS, ROLLBACK_PREVIEW, TAKE_OVER, FORGET, STORY])],
    ['users add --role', () => each(ROLES)],
    ['users role role', () => each(ROLES)],
    ['tokens create --role', () => each(ROLES)],
    ['--output', () => each(FORMATS)],
  ]);
}

/** Choices that the tree declares take precedence over the places listed here. */
function suggestions(place: Place, places: Places): readonly Suggestion[] {
  const { path, option, argument } = place;
  const found = (name: string) =>
    [`${path} ${name}`, `${path} list ${name}`, name].map((key) => places.get(key)).find(Boolean)?.() ?? [];
  if (option) return option.argChoices ? each(option.argChoices) : found(option.long ?? '');
  return [
    ...place.subcommands.map((sub) => [sub.name(), sub.description()] as const),
    ...place.options.flatMap(({ long, description }) => (long ? [[long, description] as const] : [])),
    ...(argument ? (argument.argChoices ? each(argument.argChoices) : found(argument.name())) : []),
  ];
}

/** Joins the descriptions of equal words. */
function grouped(starts: readonly Start[], word: keyof Start, what: keyof Start): readonly Suggestion[] {
  return [...Map.groupBy(starts, (start) => start[word])].map(
    ([key, those]) => [key, [...new Set(those.map((start) => start[what]))].join(', ')] as const,
  );
}

function each(words: readonly string[]): readonly Suggestion[] {
  return words.map((word) => [word, ''] as const);
}

/** Removes control characters: a shell prints names of the server as they are. */
function inOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
