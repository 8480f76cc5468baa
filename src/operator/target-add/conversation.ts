/** Asks at the terminal for everything that a new target needs. */
import {
  type CANCEL_SYMBOL,
  confirm,
  intro,
  isCancel,
  log,
  multiselect,
  password as askHidden,
  select,
  text as askText,
} from '@clack/prompts';
import type { Key } from '../../domain/job.ts';
import { DECLARED_ACTIONS, type DeclaredAction } from '../../domain/action.ts';
import { CliFailure, EXIT } from '../../terminal/failure.ts';
import { type Timing, zoneHere } from '../target-choices.ts';
import { type NewTarget, paramsText } from './new-target.ts';
import { type Kind, type Question, SINKS, SOURCES } from './questions.ts';

/** Programs read stdout. */
const output = process.stderr;
const ALREADY_SENSIBLE: DeclaredAction[] = ['sync', 'diff'];
const HINTS: Readonly<Record<DeclaredAction, string>> = {
  sync: 'everything',
  delta: 'what is new or changed',
  delete: 'what is gone',
  diff: 'what is new, changed or gone',
};

type Answers = ReadonlyMap<string, string>;

/**
 * @param check tries the settings and prints its findings; true if a sync would succeed
 * @throws CliFailure if the user stops
 */
export async function converse(key: Key, check: (settings: string) => Promise<boolean>): Promise<NewTarget> {
  intro(`Add ${key.target} in ${key.env}`, { output });
  const settings = await askUntilChecked(check);
  const actions = await askActions();
  const timing = await askTiming(key, actions[0] ?? 'sync');
  return { key, settings, actions, timing };
}

async function askUntilChecked(check: (settings: string) => Promise<boolean>): Promise<string> {
  let answers: Answers = new Map();
  for (;;) {
    answers = await askSettings(answers);
    const settings = [...answers].map(([name, value]) => `${name}=${value}\n`).join('');
    log.step('Testing source and sink; nothing is written', { output });
    if (await check(settings)) return settings;
    const next = await answered(
      select({
        message: 'A sync would fail. What next?',
        options: [
          { value: 'change', label: 'Change the answers' },
          {
            value: 'write',
            label: 'Write the files anyway',
            hint: 'source or sink is out of reach from here',
          },
          { value: 'stop', label: 'Stop; nothing is written' },
        ],
        output,
      }),
    );
    if (next === 'stop') throw stopped();
    if (next === 'write') return settings;
  }
}

/** @param before offered as answers */
async function askSettings(before: Answers): Promise<Answers> {
  const source = await askKind('Where do the records come from?', SOURCES, before.get('SOURCE'));
  const ofSource = await askAll(SOURCES[source].questions, before);
  const sink = await askKind('Where do they go?', SINKS, before.get('SINK'));
  const ofSink = await askAll(SINKS[sink].questions, before);
  return new Map([['SOURCE', source], ...ofSource, ['SINK', sink], ...ofSink]);
}

async function askKind<K extends string>(
  message: string,
  kinds: Readonly<Record<K, Kind>>,
  before: string | undefined,
): Promise<K> {
  const names = Object.keys(kinds) as K[];
  const options = names.map((name, value) => ({ value, label: `${kinds[name].label} (${name})` }));
  const initialValue = Math.max(
    0,
    names.findIndex((name) => name === before),
  );
  const chosen = await answered(select({ message, options, initialValue, output }));
  return names[chosen] as K;
}

async function askAll(questions: readonly Question[], before: Answers): Promise<[string, string][]> {
  const answers: [string, string][] = [];
  for (const question of questions) {
    const answer = await ask(question, before.get(question.key));
    if (answer !== '') answers.push([question.key, answer]);
  }
  return answers;
}

/** @returns the empty text for a setting that is left out */
async function ask({ kind, text: message, example, optional }: Question, before = ''): Promise<string> {
  if (kind === 'flag')
    return (await answered(confirm({ message, initialValue: before === 'true', output }))) ? 'true' : '';
  const typed = await answered(
    askText({
      message,
      output,
      initialValue: kind === 'url' ? withoutPassword(before) : before,
      ...(example === undefined ? {} : { placeholder: example }),
      validate: (value = '') => {
        if (value.trim() === '') return optional === true ? undefined : 'an answer is needed';
        return kind === 'url' && !URL.canParse(value.trim())
          ? `not an address; expected one such as ${example}`
          : undefined;
      },
    }),
  );
  return kind === 'url' ? await withPassword(typed.trim()) : typed.trim();
}

/** Asks for the password of an address that names a user alone. */
async function withPassword(address: string): Promise<string> {
  const url = new URL(address);
  if (url.username === '' || url.password !== '') return address;
  const password = await hidden(`Password of ${decodeURIComponent(url.username)} (empty: none)`);
  if (password === '') return address;
  url.password = encodeURIComponent(password);
  return url.href;
}

/** The text that may be shown again. */
function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.password = '';
  return url.href;
}

async function hidden(message: string): Promise<string> {
  return (await answered(askHidden({ message, output }))) ?? '';
}

async function askActions(): Promise<readonly DeclaredAction[]> {
  return await answered(
    multiselect<DeclaredAction>({
      message: 'Which jobs shall it have? Space selects',
      options: DECLARED_ACTIONS.map((value) => ({ value, label: value, hint: HINTS[value] })),
      initialValues: ALREADY_SENSIBLE,
      required: true,
      output,
    }),
  );
}

async function askTiming(key: Key, action: DeclaredAction): Promise<Timing | null> {
  const valid = (timing: Timing) => faultOf(() => paramsText(key, action, timing));
  const schedule = await answered(
    askText({
      message: 'When shall it run by itself? Empty for never',
      placeholder: '30 2 * * * for every night at 2:30',
      defaultValue: '',
      validate: (value = '') =>
        value.trim() === '' ? undefined : valid({ schedule: value.trim(), timezone: 'UTC' }),
      output,
    }),
  );
  if (schedule.trim() === '') return null;
  const timezone = await answered(
    askText({
      message: 'In which time zone?',
      initialValue: zoneHere(),
      validate: (value = '') => valid({ schedule: schedule.trim(), timezone: value.trim() }),
      output,
    }),
  );
  return { schedule: schedule.trim(), timezone: timezone.trim() };
}

function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof CliFailure) return error.message;
    throw error;
  }
}

/** @throws CliFailure on Ctrl-C */
async function answered<T>(prompt: Promise<T | typeof CANCEL_SYMBOL>): Promise<T> {
  const answer = await prompt;
  if (isCancel(answer)) throw stopped();
  return answer;
}

function stopped(): CliFailure {
  return new CliFailure('stopped: nothing was written', EXIT.interrupted);
}
