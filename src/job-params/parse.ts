/** Parses one params file: its meaning, or all its faults. */
import {
  ACTION_PARAMETERS_NAMES,
  type ActionParametersName,
  isActionParametersName,
} from './action-parameters.ts';
import { APPLY, PLAN, REMOVE } from '../domain/action.ts';
import { whyNoPlan } from './why-no-plan.ts';
import type { JobParameters, PodOverrides, RunnerKind } from '../domain/job.ts';
import { fieldsOf, parseCron } from '../domain/cron.ts';
import { USUAL_APPROVALS } from '../domain/loss.ts';
import { nextTime } from '../domain/firing-times.ts';
import { parseNamePattern } from '../domain/name-pattern.ts';
import {
  EXTERNAL_ACTION_PATTERN,
  EXTERNAL_TARGET_PATTERN,
  NAME_PATTERN,
  scheduleId,
  TAG_PATTERN,
} from '../domain/names.ts';
import {
  EXTERNAL_NO_PROGRESS_AFTER_SECONDS,
  EXTERNAL_STALLED_AFTER_SECONDS,
  planSteps,
  STEP_DEFAULTS,
  type StepDefaults,
} from '../domain/plan.ts';
import { faultOfTimeZone } from '../domain/time-zones.ts';
import { parsePodOverrides } from '../config/pod-overrides.ts';
import { type Conflicts, readConflicts } from './conflicts.ts';
import { type ParamKey, type ParamsFault, Values } from './values.ts';

export type { ParamsFault } from './values.ts';

export type Schedule = {
  readonly id: string;
  readonly spec:
    | { readonly kind: 'cron'; readonly cron: string }
    | { readonly kind: 'every'; readonly seconds: number };
  readonly text: string;
  readonly timezone: string;
};

/** One params file. Paths look it up by `name`; jobs are stored and locked by `target`. */
export type ParamsFile = {
  readonly name: string;
  readonly env: string;
  /** With a TARGET_PATTERN: the common name of all targets that match it. */
  readonly target: string;
  /** The file declares every target whose whole name matches; null = TARGET alone. */
  readonly targetPattern: TargetPattern | null;
  /** Names the parameters that a request must give beside the target; null = none. */
  readonly actionParameters: ActionParametersName | null;
  readonly parameters: JobParameters;
  /** null = the default of this installation (RUNNER). */
  readonly runner: RunnerKind | null;
  readonly defaults: StepDefaults;
  readonly schedule: Schedule | null;
  /** What its schedule starts: the action itself, or a plan of it that a person applies. */
  readonly mode: ScheduleMode;
  /** Of a sync: people who must approve that held records of the target are removed. */
  readonly approvals: number;
  readonly conflicts: Conflicts;
  readonly file: string;
};

export type ScheduleMode = 'apply' | 'plan';

export type TargetPattern = { readonly text: string; readonly fits: (target: string) => boolean };

const MOST_RECORDS = 1_000_000_000;

/** The meaning of a file, or all its faults. Malformed lines are reported alone: further faults may follow from them. */
export function parseParamsFile(
  text: string,
  where: { file: string; env: string; name: string; action: string },
): ParamsFile | readonly ParamsFault[] {
  const { file, env, name } = where;
  const values = new Values(file, text);
  if (values.faults.length > 0) return values.faults;
  const runner = readRunner(values);
  const isExternal = runner === 'external';
  const target = readName(values, 'TARGET', isExternal ? EXTERNAL_TARGET_PATTERN : NAME_PATTERN, isExternal);
  const { targetPattern, actionParameters } = readExternal(values, isExternal);
  checkEnv(values, env);
  const parameters = readParameters(values, isExternal);
  const defaults = readDefaults(values, isExternal);
  checkProgram(values, defaults);
  checkAction(values, { runner, parameters, defaults });
  const approvals = readApprovals(values, parameters);
  const conflicts = readConflicts(values, { env, isExternal });
  const schedule = readSchedule(values, { env, target, action: parameters.action_name });
  if (schedule !== null && (targetPattern !== null || actionParameters !== null))
    values.fail('SCHEDULE', 'cannot be used with TARGET_PATTERN or PARAMETERS, which need a request', null);
  const mode = readMode(values, { parameters, runner, defaults }, schedule);
  if (values.faults.length === 0) checkPlan(values, { parameters, defaults, action: where.action });
  if (values.faults.length > 0) return values.sortedFaults();
  const meaning = { name, env, target, targetPattern, actionParameters, parameters, runner, defaults };
  return { ...meaning, schedule, mode, approvals, conflicts, file };
}

function readRunner(values: Values): RunnerKind | null {
  const runner = values.optional('RUNNER');
  if (runner === null || runner === 'kubernetes' || runner === 'process' || runner === 'external')
    return runner;
  return values.fail('RUNNER', `'${runner}' is not kubernetes, process or external`, null);
}

function readName(values: Values, key: ParamKey, pattern: RegExp, isExternal: boolean): string {
  return values.matching(key, pattern, `a name of ${isExternal ? 'A-Z, a-z' : 'a-z'}, 0-9, - and _`);
}

/** Keys that only RUNNER=external may have. */
function readExternal(
  values: Values,
  isExternal: boolean,
): Pick<ParamsFile, 'targetPattern' | 'actionParameters'> {
  const read = (key: ParamKey): string | null =>
    values.optional(key) === null || isExternal
      ? values.filled(key)
      : values.fail(key, 'is only for RUNNER=external', null);
  const targetPattern = readPattern(read('TARGET_PATTERN'), (fault) =>
    values.fail('TARGET_PATTERN', fault, null),
  );
  const needs = read('PARAMETERS');
  if (needs === null || isActionParametersName(needs)) return { targetPattern, actionParameters: needs };
  const fault = `'${needs}' is unknown; known: ${ACTION_PARAMETERS_NAMES.join(' ')}`;
  return { targetPattern, actionParameters: values.fail('PARAMETERS', fault, null) };
}

function checkEnv(values: Values, env: string): void {
  const declared = values.matching('ENV', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  if (values.has('ENV') && declared !== env)
    values.fail('ENV', `'${declared}' differs from the folder ${env}`, null);
}

function readParameters(values: Values, isExternal: boolean): JobParameters {
  const actionPattern = isExternal ? EXTERNAL_ACTION_PATTERN : NAME_PATTERN;
  return {
    action_name: readName(values, 'ACTION_NAME', actionPattern, isExternal),
    action: readName(values, 'ACTION', actionPattern, isExternal),
    is_tag: values.matching('IS_TAG', TAG_PATTERN, 'an image tag'),
    options: values.required('OPTIONS'),
    mam_main_query: values.optional('MAM_MAIN_QUERY'),
  };
}

function readDefaults(values: Values, isExternal: boolean): StepDefaults {
  const isOwnProgram = values.optional('IMAGE') === null && values.optional('COMMAND') === null;
  const callerOptions = values.optional('CALLER_OPTIONS');
  return {
    image: values.filled('IMAGE'),
    command: values.filled('COMMAND')?.split(' ').filter(Boolean) ?? null,
    callerOptions: isOwnProgram ? callerOptions !== 'false' : callerOptions === 'true',
    keepsContract: values.optional('EXIT_CODES') === 'syncrator',
    timeoutSeconds: values.seconds('TIMEOUT', STEP_DEFAULTS.timeoutSeconds),
    startTimeoutSeconds: values.seconds('START_TIMEOUT', STEP_DEFAULTS.startTimeoutSeconds),
    stalledAfterSeconds: values.seconds(
      'STALLED_AFTER',
      isExternal ? EXTERNAL_STALLED_AFTER_SECONDS : STEP_DEFAULTS.stalledAfterSeconds,
    ),
    noProgressAfterSeconds: values.seconds(
      'NO_PROGRESS_AFTER',
      isExternal ? EXTERNAL_NO_PROGRESS_AFTER_SECONDS : STEP_DEFAULTS.noProgressAfterSeconds,
    ),
    retries: values.whole('RETRIES', STEP_DEFAULTS.retries, 10),
    cpu: values.quantity('CPU'),
    memory: values.quantity('MEMORY'),
    podOverrides: readPodOverrides(values),
    maxDeletePercent: values.whole('MAX_DELETE_PERCENT', STEP_DEFAULTS.maxDeletePercent, 100),
    maxDeleteRecords: values.whole('MAX_DELETE_RECORDS', STEP_DEFAULTS.maxDeleteRecords, MOST_RECORDS),
    maxUpdatePercent: values.whole('MAX_UPDATE_PERCENT', STEP_DEFAULTS.maxUpdatePercent, 100, 1),
  };
}

/** A removal runs as the target's sync does, so its file alone says who must approve. */
function readApprovals(values: Values, { action_name }: JobParameters): number {
  if (values.has('APPROVALS') && action_name !== 'sync')
    return values.fail(
      'APPROVALS',
      `is only for the file of the sync, not of '${action_name}'`,
      USUAL_APPROVALS,
    );
  return values.whole('APPROVALS', USUAL_APPROVALS, 2, 1);
}

function readPodOverrides(values: Values): PodOverrides | null {
  const value = values.optional('POD_OVERRIDES');
  try {
    return value === null ? null : parsePodOverrides(value);
  } catch (error) {
    return values.fail('POD_OVERRIDES', error instanceof Error ? error.message : String(error), null);
  }
}

function checkProgram(values: Values, { image, command }: StepDefaults): void {
  if (values.has('CALLER_OPTIONS')) values.matching('CALLER_OPTIONS', /^(true|false)$/, 'true or false');
  if (!values.has('EXIT_CODES')) return;
  values.matching('EXIT_CODES', /^(own|syncrator)$/, 'own or syncrator');
  if (image === null && command === null)
    values.fail('EXIT_CODES', 'needs COMMAND or IMAGE: our own program always keeps our contract', null);
}

/** Our program removes what people have approved, and nothing else under this name. */
function checkAction(values: Values, of: Pick<ParamsFile, 'runner' | 'parameters' | 'defaults'>): void {
  const isOwnProgram = of.runner !== 'external' && of.defaults.image === null && of.defaults.command === null;
  if (!isOwnProgram) return;
  const { action } = of.parameters;
  if (action === REMOVE)
    values.fail('ACTION', `'${REMOVE}' is started by the approval of a loss alone`, null);
  if (action === PLAN || action === APPLY)
    values.fail('ACTION', `'${action}' has no params file: that of the planned action counts`, null);
}

/** Checks values that are good each by itself; bad ones would only repeat their faults. */
function checkPlan(
  values: Values,
  { parameters, defaults, action }: Pick<ParamsFile, 'parameters' | 'defaults'> & { action: string },
): void {
  const plan = planSteps(parameters, defaults);
  if ('error' in plan) values.fail('OPTIONS', plan.error, null);
  if (parameters.action_name !== action)
    values.fail('ACTION_NAME', `'${parameters.action_name}' differs from the file name's ${action}`, null);
}

function readPattern(text: string | null, fail: (fault: string) => null): TargetPattern | null {
  if (text === null) return null;
  const pattern = parseNamePattern(text);
  if ('error' in pattern) return fail(pattern.error);
  return { text, fits: (target) => EXTERNAL_TARGET_PATTERN.test(target) && pattern.fits(target) };
}

function readMode(
  values: Values,
  of: Pick<ParamsFile, 'parameters' | 'runner' | 'defaults'>,
  schedule: Schedule | null,
): ScheduleMode {
  const mode = values.optional('MODE') ?? 'apply';
  if (mode !== 'apply' && mode !== 'plan')
    return values.fail('MODE', `'${mode}' is not apply or plan`, 'apply');
  if (mode === 'apply') return mode;
  const why = whyNoPlan(of);
  if (why !== undefined) return values.fail('MODE', `cannot be plan: ${why}`, mode);
  // A bad SCHEDULE is a fault of its own.
  if (schedule === null && !values.has('SCHEDULE'))
    return values.fail('MODE', 'has no SCHEDULE to apply to', mode);
  return mode;
}

function readSchedule(values: Values, of: { env: string; target: string; action: string }): Schedule | null {
  const text = values.optional('SCHEDULE');
  const timezone = values.optional('TIMEZONE') ?? 'UTC';
  if (text === null)
    return values.has('TIMEZONE') ? values.fail('TIMEZONE', 'has no SCHEDULE to apply to', null) : null;
  const zoneFault = faultOfTimeZone(timezone);
  if (zoneFault !== undefined) return values.fail('TIMEZONE', zoneFault, null);
  const id = scheduleId(of);
  const every = /^every ([1-9]\d{0,5})s$/.exec(text);
  if (every) return { id, spec: { kind: 'every', seconds: Number(every[1]) }, text, timezone };
  const cron = parseCron(text);
  if ('error' in cron) return values.fail('SCHEDULE', cron.error, null);
  if (nextTime({ cron, timezone }, new Date()) === undefined)
    return values.fail(
      'SCHEDULE',
      `'${text}' has no next firing: day of the month, month and day of the week never meet`,
      null,
    );
  return { id, spec: { kind: 'cron', cron: fieldsOf(text).join(' ') }, text, timezone };
}
