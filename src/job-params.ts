/**
 * The only reader of `job_params/<env>/<target>-<action>.public_params`: all files are read and checked once, at
 * start; afterwards a request only looks up this map, so no request ever opens a file.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Cron } from 'croner';
import type { JobParameters, PodOverrides, RunnerKind } from './domain/job.ts';
import { NAME_PATTERN, scheduleId, settingsKey, TAG_PATTERN } from './domain/names.ts';
import { planSteps, STEP_DEFAULTS, type StepDefaults } from './domain/plan.ts';
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
  readonly target: string;
  readonly parameters: JobParameters;
  /** null = the default of this installation (RUNNER). */
  readonly runner: RunnerKind | null;
  readonly defaults: StepDefaults;
  readonly schedule: Schedule | null;
  readonly file: string;
};

/** Thrown for a bad file; the message is `<file>:<line>: <key>: <fault>`. */
export class JobParamsError extends Error {}

const REQUIRED = ['TARGET', 'ENV', 'ACTION_NAME', 'ACTION', 'IS_TAG', 'OPTIONS'] as const;
const OPTIONAL = [
  'RUNNER',
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

function readLines(text: string, file: string): Entries {
  const entries: Entries = new Map();
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) return;
    const at = raw.indexOf('=');
    if (at < 1) throw new JobParamsError(`${file}:${line}: '${raw}': not a KEY=value line`);
    const key = raw.slice(0, at);
    if (!KEYS.has(key))
      throw new JobParamsError(`${file}:${line}: ${key}: unknown key; known: ${[...KEYS].join(' ')}`);
    if (entries.has(key as ParamKey))
      throw new JobParamsError(
        `${file}:${line}: ${key}: is there twice (first on line ${entries.get(key as ParamKey)?.line})`,
      );
    const value = raw.slice(at + 1);
    // Neither Postgres nor an environment takes NUL, and none of the others was meant.
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value))
      throw new JobParamsError(`${file}:${line}: ${key}: contains a control character`);
    entries.set(key as ParamKey, { value, line });
  });
  return entries;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without exponents. */
const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const DURATION = /^([1-9]\d{0,6})(s|m|h)$/;

function parseFile(text: string, where: { file: string; env: string; name: string }): ParamsFile {
  const { file, env, name } = where;
  const entries = readLines(text, file);
  const fail = (key: ParamKey, fault: string): never => {
    throw new JobParamsError(`${file}:${entries.get(key)?.line ?? 1}: ${key}: ${fault}`);
  };
  const required = (key: ParamKey): string => entries.get(key)?.value ?? fail(key, 'is missing');
  const optional = (key: ParamKey): string | null => entries.get(key)?.value ?? null;
  const filled = (key: ParamKey): string | null =>
    optional(key)?.trim() === '' ? fail(key, 'is empty') : optional(key);
  const matching = (key: ParamKey, pattern: RegExp, what: string): string => {
    const value = required(key);
    return pattern.test(value) ? value : fail(key, `'${value}' is not ${what}`);
  };
  const seconds = (key: ParamKey, fallback: number): number => {
    const value = optional(key);
    if (value === null) return fallback;
    const match = DURATION.exec(value) ?? fail(key, `'${value}' is not a time such as 90s, 10m or 6h`);
    return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'];
  };
  const whole = (key: ParamKey, fallback: number, most: number): number => {
    const value = optional(key);
    if (value === null) return fallback;
    const number = Number(value);
    return /^\d+$/.test(value) && number <= most
      ? number
      : fail(key, `'${value}' is not a number from 0 to ${most}`);
  };

  const quantity = (key: ParamKey): string | null =>
    optional(key) === null ? null : matching(key, QUANTITY, 'a quantity such as 500m or 512Mi');
  const overrides = (): PodOverrides | null => {
    const value = optional('POD_OVERRIDES');
    try {
      return value === null ? null : parsePodOverrides(value);
    } catch (error) {
      return fail('POD_OVERRIDES', error instanceof Error ? error.message : String(error));
    }
  };

  const target = matching('TARGET', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  matching('ENV', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  if (required('ENV') !== env) fail('ENV', `'${required('ENV')}' differs from the folder ${env}`);
  const parameters: JobParameters = {
    action_name: matching('ACTION_NAME', NAME_PATTERN, 'a name of a-z, 0-9, - and _'),
    action: matching('ACTION', NAME_PATTERN, 'a name of a-z, 0-9, - and _'),
    is_tag: matching('IS_TAG', TAG_PATTERN, 'an image tag'),
    options: required('OPTIONS'),
    mam_main_query: optional('MAM_MAIN_QUERY'),
  };
  const runner = optional('RUNNER');
  if (runner !== null && !['kubernetes', 'process', 'external'].includes(runner))
    fail('RUNNER', `'${runner}' is not kubernetes, process or external`);
  const defaults: StepDefaults = {
    image: filled('IMAGE'),
    command: filled('COMMAND')?.split(' ').filter(Boolean) ?? null,
    timeoutSeconds: seconds('TIMEOUT', STEP_DEFAULTS.timeoutSeconds),
    startTimeoutSeconds: seconds('START_TIMEOUT', STEP_DEFAULTS.startTimeoutSeconds),
    stalledAfterSeconds: seconds('STALLED_AFTER', STEP_DEFAULTS.stalledAfterSeconds),
    retries: whole('RETRIES', STEP_DEFAULTS.retries, 10),
    cpu: quantity('CPU'),
    memory: quantity('MEMORY'),
    podOverrides: overrides(),
    maxDeletePercent: whole('MAX_DELETE_PERCENT', STEP_DEFAULTS.maxDeletePercent, 100),
  };
  const plan = planSteps(parameters, defaults);
  if ('error' in plan) fail('OPTIONS', plan.error);
  return {
    name,
    env,
    target,
    parameters,
    runner: runner as RunnerKind | null,
    defaults,
    schedule: readSchedule({ env, target, action: parameters.action_name }, optional, fail),
    file,
  };
}

function readSchedule(
  of: { env: string; target: string; action: string },
  optional: (key: ParamKey) => string | null,
  fail: (key: ParamKey, fault: string) => never,
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
    fail('SCHEDULE', `'${text}' is neither five cron fields with a next firing nor 'every 60s'`);
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

/** Every declared job, looked up by what stands in a path. */
export class JobParams {
  readonly files: readonly ParamsFile[];
  readonly #byPath: ReadonlyMap<string, ParamsFile>;

  constructor(files: readonly ParamsFile[]) {
    this.files = files;
    this.#byPath = new Map(files.map((f) => [`${f.env}/${f.name}/${f.parameters.action_name}`, f]));
  }

  /** The file behind `/<action>/<target>/<env>`; undefined when it is not declared. */
  find(input: { env: string; name: string; action: string }): ParamsFile | undefined {
    return this.#byPath.get(`${input.env}/${input.name}/${input.action}`);
  }

  /** Whether any file declares the target (by TARGET or by file name) in the environment. */
  declares(input: { env: string; target: string }): boolean {
    return this.files.some(
      (f) => f.env === input.env && (f.target === input.target || f.name === input.target),
    );
  }

  get schedules(): readonly (ParamsFile & { readonly schedule: Schedule })[] {
    return this.files.filter((f): f is ParamsFile & { schedule: Schedule } => f.schedule !== null);
  }
}

/**
 * Reads all files below a folder.
 * @throws JobParamsError naming file, line and key of the first fault
 */
export async function loadJobParams(dir: string): Promise<JobParams> {
  const files: ParamsFile[] = [];
  const environments = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new JobParamsError(`${dir}: cannot be read`, { cause });
  });
  for (const env of environments
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort()) {
    for (const entry of (await readdir(path.join(dir, env))).sort()) {
      const file = path.join(path.basename(dir), env, entry);
      const match = /^([a-z0-9][-_a-z0-9]*)-([a-z0-9_]+)\.public_params$/.exec(entry);
      if (!match) throw new JobParamsError(`${file}: the name is not <target>-<action>.public_params`);
      const parsed = parseFile(await readFile(path.join(dir, env, entry), 'utf8'), {
        file,
        env,
        name: match[1] ?? '',
      });
      if (parsed.parameters.action_name !== match[2])
        throw new JobParamsError(
          `${file}:1: ACTION_NAME: '${parsed.parameters.action_name}' differs from the file name's ${match[2]}`,
        );
      files.push(parsed);
    }
  }
  for (const [at, file] of files.entries()) refuseClash(file, files.slice(0, at));
  return new JobParams(files);
}

/** Names made from two files must not be one name: each would take the other's settings, or schedule. */
function refuseClash(file: ParamsFile, before: readonly ParamsFile[]): void {
  for (const other of before) {
    const sameKey = other.env === file.env && other.target === file.target;
    if (!sameKey && settingsKey(other) === settingsKey(file))
      throw new JobParamsError(
        `${file.file}:1: TARGET: '${file.target}' would share its settings '${settingsKey(file)}' with ${other.file}`,
      );
    if (file.schedule && other.schedule?.id === file.schedule.id)
      throw new JobParamsError(
        `${file.file}:1: SCHEDULE: its name ${file.schedule.id} is that of ${other.file} already`,
      );
  }
}
