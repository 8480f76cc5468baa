/** One params file: its text is turned into what it means, or into everything that is wrong with it. */
import { Cron } from 'croner';
import {
  ACTION_PARAMETERS_NAMES,
  type ActionParametersName,
  isActionParametersName,
} from './action-parameters.ts';
import type { JobParameters, PodOverrides, RunnerKind } from './domain/job.ts';
import {
  EXTERNAL_ACTION_PATTERN,
  EXTERNAL_TARGET_PATTERN,
  NAME_PATTERN,
  scheduleId,
  TAG_PATTERN,
} from './domain/names.ts';
import {
  EXTERNAL_STALLED_AFTER_SECONDS,
  planSteps,
  STEP_DEFAULTS,
  type StepDefaults,
} from './domain/plan.ts';
import { parsePodOverrides } from './pod-overrides.ts';

export type Schedule = {
  readonly id: string;
  readonly spec:
    | { readonly kind: 'cron'; readonly cron: string }
    | { readonly kind: 'every'; readonly seconds: number };
  readonly text: string;
  readonly timezone: string;
};

/** One params file. `name` is the path's look-up key, `target` what is locked and stored (design.md §3). */
export type ParamsFile = {
  readonly name: string;
  readonly env: string;
  /** With a TARGET_PATTERN the name of the whole family. */
  readonly target: string;
  /** The file stands for every target whose whole name fits; null = for TARGET alone. */
  readonly targetPattern: TargetPattern | null;
  /** What has to be given with a request beside the target; null = nothing. */
  readonly actionParameters: ActionParametersName | null;
  readonly parameters: JobParameters;
  /** null = the default of this installation (RUNNER). */
  readonly runner: RunnerKind | null;
  readonly defaults: StepDefaults;
  readonly schedule: Schedule | null;
  readonly file: string;
};

export type TargetPattern = { readonly text: string; readonly fits: (target: string) => boolean };

/** What is wrong with a file. A null `line` or `key`: it is about none. */
export type ParamsFault = {
  readonly file: string;
  readonly line: number | null;
  readonly key: string | null;
  readonly fault: string;
};

const REQUIRED = ['TARGET', 'ENV', 'ACTION_NAME', 'ACTION', 'IS_TAG', 'OPTIONS'] as const;
const OPTIONAL = [
  'RUNNER',
  'TARGET_PATTERN',
  'PARAMETERS',
  'IMAGE',
  'COMMAND',
  'SCHEDULE',
  'TIMEZONE',
  'TIMEOUT',
  'START_TIMEOUT',
  'STALLED_AFTER',
  'RETRIES',
  'CPU',
  'MEMORY',
  'POD_OVERRIDES',
  'MAX_DELETE_PERCENT',
  'MAM_MAIN_QUERY',
] as const;
type ParamKey = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];
const KEYS: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);

type Line = { readonly value: string; readonly line: number };
type Entries = Map<ParamKey, Line>;

type Report = (line: number, key: string | null, fault: string) => void;

function readLines(text: string, report: Report): Entries {
  const entries: Entries = new Map();
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) return;
    const at = raw.indexOf('=');
    if (at < 1) return report(line, null, `'${raw}': not a KEY=value line`);
    const key = raw.slice(0, at);
    if (!KEYS.has(key)) return report(line, key, `unknown key; known: ${[...KEYS].join(' ')}`);
    const before = entries.get(key as ParamKey);
    if (before) return report(line, key, `is there twice (first on line ${before.line})`);
    const value = raw.slice(at + 1);
    // Neither Postgres nor an environment takes NUL, and none of the others was meant.
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) report(line, key, 'contains a control character');
    entries.set(key as ParamKey, { value, line });
  });
  return entries;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without exponents. */
const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const DURATION = /^([1-9]\d{0,6})(s|m|h)$/;

/** A file's meaning, or all its faults: those of its lines first, since the others may only follow from them. */
export function parseParamsFile(
  text: string,
  where: { file: string; env: string; name: string; action: string },
): ParamsFile | readonly ParamsFault[] {
  const { file, env, name } = where;
  const faults: ParamsFault[] = [];
  const entries = readLines(text, (line, key, fault) => faults.push({ file, line, key, fault }));
  if (faults.length > 0) return faults;
  /** Goes on with the value given, so that the faults after it are found too. */
  const fail = <T>(key: ParamKey, fault: string, instead: T): T => {
    faults.push({ file, line: entries.get(key)?.line ?? 1, key, fault });
    return instead;
  };
  const optional = (key: ParamKey): string | null => entries.get(key)?.value ?? null;
  const required = (key: ParamKey): string => optional(key) ?? fail(key, 'is missing', '');
  const filled = (key: ParamKey): string | null =>
    optional(key)?.trim() === '' ? fail(key, 'is empty', null) : optional(key);
  const matching = (key: ParamKey, pattern: RegExp, what: string): string => {
    const value = optional(key);
    if (value === null) return required(key);
    return pattern.test(value) ? value : fail(key, `'${value}' is not ${what}`, value);
  };
  const seconds = (key: ParamKey, fallback: number): number => {
    const value = optional(key);
    if (value === null) return fallback;
    const match = DURATION.exec(value);
    if (!match) return fail(key, `'${value}' is not a time such as 90s, 10m or 6h`, fallback);
    return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'];
  };
  const whole = (key: ParamKey, fallback: number, most: number): number => {
    const value = optional(key);
    if (value === null) return fallback;
    const number = Number(value);
    return /^\d+$/.test(value) && number <= most
      ? number
      : fail(key, `'${value}' is not a number from 0 to ${most}`, fallback);
  };
  const quantity = (key: ParamKey): string | null =>
    optional(key) === null ? null : matching(key, QUANTITY, 'a quantity such as 500m or 512Mi');
  const overrides = (): PodOverrides | null => {
    const value = optional('POD_OVERRIDES');
    try {
      return value === null ? null : parsePodOverrides(value);
    } catch (error) {
      return fail('POD_OVERRIDES', error instanceof Error ? error.message : String(error), null);
    }
  };

  const runner = optional('RUNNER');
  if (runner !== null && !['kubernetes', 'process', 'external'].includes(runner))
    fail('RUNNER', `'${runner}' is not kubernetes, process or external`, null);
  const isExternal = runner === 'external';
  const forExternal = (key: ParamKey): string | null =>
    optional(key) === null || isExternal ? filled(key) : fail(key, 'is for RUNNER=external alone', null);
  const actionName = (key: ParamKey) =>
    isExternal
      ? matching(key, EXTERNAL_ACTION_PATTERN, 'a name of A-Z, a-z, 0-9, - and _')
      : matching(key, NAME_PATTERN, 'a name of a-z, 0-9, - and _');

  const target = isExternal
    ? matching('TARGET', EXTERNAL_TARGET_PATTERN, 'a name of A-Z, a-z, 0-9, - and _')
    : matching('TARGET', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  const targetPattern = readPattern(forExternal('TARGET_PATTERN'), (fault) =>
    fail('TARGET_PATTERN', fault, null),
  );
  const needs = forExternal('PARAMETERS');
  const actionParameters =
    needs === null || isActionParametersName(needs)
      ? needs
      : fail('PARAMETERS', `'${needs}' is unknown; known: ${ACTION_PARAMETERS_NAMES.join(' ')}`, null);
  const declaredEnv = matching('ENV', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  if (entries.has('ENV') && declaredEnv !== env)
    fail('ENV', `'${declaredEnv}' differs from the folder ${env}`, null);
  const parameters: JobParameters = {
    action_name: actionName('ACTION_NAME'),
    action: actionName('ACTION'),
    is_tag: matching('IS_TAG', TAG_PATTERN, 'an image tag'),
    options: required('OPTIONS'),
    mam_main_query: optional('MAM_MAIN_QUERY'),
  };
  const defaults: StepDefaults = {
    image: filled('IMAGE'),
    command: filled('COMMAND')?.split(' ').filter(Boolean) ?? null,
    timeoutSeconds: seconds('TIMEOUT', STEP_DEFAULTS.timeoutSeconds),
    startTimeoutSeconds: seconds('START_TIMEOUT', STEP_DEFAULTS.startTimeoutSeconds),
    stalledAfterSeconds: seconds(
      'STALLED_AFTER',
      isExternal ? EXTERNAL_STALLED_AFTER_SECONDS : STEP_DEFAULTS.stalledAfterSeconds,
    ),
    retries: whole('RETRIES', STEP_DEFAULTS.retries, 10),
    cpu: quantity('CPU'),
    memory: quantity('MEMORY'),
    podOverrides: overrides(),
    maxDeletePercent: whole('MAX_DELETE_PERCENT', STEP_DEFAULTS.maxDeletePercent, 100),
  };
  const schedule = readSchedule({ env, target, action: parameters.action_name }, optional, (key, fault) =>
    fail(key, fault, null),
  );
  if (schedule !== null && (targetPattern !== null || actionParameters !== null))
    fail('SCHEDULE', 'no schedule can tell a TARGET_PATTERN its target, or give PARAMETERS', null);
  if (faults.length === 0) {
    // From bad values it would only find more of the same.
    const plan = planSteps(parameters, defaults);
    if ('error' in plan) fail('OPTIONS', plan.error, null);
    if (parameters.action_name !== where.action)
      fail('ACTION_NAME', `'${parameters.action_name}' differs from the file name's ${where.action}`, null);
  }
  if (faults.length > 0) return faults.sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
  return {
    name,
    env,
    target,
    targetPattern,
    actionParameters,
    parameters,
    runner: runner as RunnerKind | null,
    defaults,
    schedule,
    file,
  };
}

/** @param text a regular expression of whole names */
function readPattern(text: string | null, fail: (fault: string) => null): TargetPattern | null {
  if (text === null) return null;
  try {
    // Alone first: `a)|(b` would be one within the group.
    new RegExp(text, 'u');
    const whole = new RegExp(`^(?:${text})$`, 'u');
    return { text, fits: (target) => EXTERNAL_TARGET_PATTERN.test(target) && whole.test(target) };
  } catch (error) {
    if (error instanceof SyntaxError) return fail(error.message);
    throw error;
  }
}

function readSchedule(
  of: { env: string; target: string; action: string },
  optional: (key: ParamKey) => string | null,
  fail: (key: ParamKey, fault: string) => null,
): Schedule | null {
  const text = optional('SCHEDULE');
  const timezone = optional('TIMEZONE') ?? 'UTC';
  if (text === null)
    return optional('TIMEZONE') === null ? null : fail('TIMEZONE', 'has no SCHEDULE to apply to');
  if (!isTimezone(timezone)) fail('TIMEZONE', `'${timezone}' is not a time zone such as Europe/Brussels`);
  const every = /^every ([1-9]\d{0,5})s$/.exec(text);
  if (every)
    return { id: scheduleId(of), spec: { kind: 'every', seconds: Number(every[1]) }, text, timezone };
  if (!isCron(text))
    return fail('SCHEDULE', `'${text}' is neither five cron fields with a next firing nor 'every 60s'`);
  return { id: scheduleId(of), spec: { kind: 'cron', cron: text }, text, timezone };
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isCron(text: string): boolean {
  if (text.trim().split(/\s+/).length !== 5) return false;
  try {
    return new Cron(text, { paused: true }).nextRun() !== null;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
