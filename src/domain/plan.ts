/** Turns a params file and a request into the steps that will run. Pure; the result is frozen. */
import { ALWAYS_ALLOWED, DEFAULT_MAX_DELETE_PERCENT } from './guard.ts';
import type { JobParameters, PodOverrides, RunnerKind, StepSpec } from './job.ts';
import { imageOf } from './names.ts';
import { parseOptions, withoutForce } from './options.ts';

/** Settings of a params file beyond the parameters; times in seconds. */
export type StepDefaults = {
  readonly image: string | null;
  readonly command: readonly string[] | null;
  /** EXIT_CODES=syncrator: a COMMAND or IMAGE gives its exit codes our meanings instead of its own. */
  readonly keepsContract: boolean;
  /** CALLER_OPTIONS: whether callers may replace the file's OPTIONS, IS_TAG and MAM_MAIN_QUERY. */
  readonly callerOptions: boolean;
  readonly timeoutSeconds: number;
  readonly startTimeoutSeconds: number;
  readonly stalledAfterSeconds: number;
  readonly noProgressAfterSeconds: number;
  readonly retries: number;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly podOverrides: PodOverrides | null;
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  /** null = no update guard. */
  readonly maxUpdatePercent: number | null;
};

export const STEP_DEFAULTS: StepDefaults = {
  image: null,
  command: null,
  keepsContract: false,
  // Our own program's flags are known, so they are checked.
  callerOptions: true,
  timeoutSeconds: 6 * 3600,
  startTimeoutSeconds: 600,
  // The sync program reports at least every 4 s; other programs get three times 10 s.
  stalledAfterSeconds: 30,
  noProgressAfterSeconds: 1800,
  retries: 0,
  cpu: null,
  memory: null,
  podOverrides: null,
  maxDeletePercent: DEFAULT_MAX_DELETE_PERCENT,
  maxDeleteRecords: ALWAYS_ALLOWED,
  maxUpdatePercent: null,
};

/** An external executor reports when a phase ends, not every few seconds. */
export const EXTERNAL_STALLED_AFTER_SECONDS = 3600;
export const EXTERNAL_NO_PROGRESS_AFTER_SECONDS = 6 * 3600;

/** For steps that an earlier version froze, without this limit. */
export function noProgressAfter(runner: RunnerKind): number {
  return runner === 'external' ? EXTERNAL_NO_PROGRESS_AFTER_SECONDS : STEP_DEFAULTS.noProgressAfterSeconds;
}

export type Plan = { readonly steps: readonly StepSpec[] } | { readonly error: string };

/**
 * A diff is a delta, then a delete; only the delete gets `--force-delete`. Every other action is one step.
 * @param image of our own program, without its tag
 */
export function planSteps(parameters: JobParameters, defaults: StepDefaults, image = 'syncrator'): Plan {
  const foreign = defaults.image !== null || defaults.command !== null;
  const parsed = parseOptions(parameters.options, { foreign });
  if ('error' in parsed) return parsed;
  const step = (
    action: string,
    args: readonly string[],
    also: Readonly<Record<string, string>> = {},
  ): StepSpec => ({
    action,
    args: [action, ...args],
    image: defaults.image ?? imageOf(image, parameters.is_tag),
    command: defaults.command,
    ...(foreign && !defaults.keepsContract ? { ownExitCodes: true } : {}),
    environment: {
      SYNCRATOR_MAX_DELETE_PERCENT: String(defaults.maxDeletePercent),
      SYNCRATOR_MAX_DELETE_RECORDS: String(defaults.maxDeleteRecords),
      ...(defaults.maxUpdatePercent === null
        ? {}
        : { SYNCRATOR_MAX_UPDATE_PERCENT: String(defaults.maxUpdatePercent) }),
      ...(parameters.mam_main_query === null ? {} : { MAM_MAIN_QUERY: parameters.mam_main_query }),
      ...also,
    },
    timeoutSeconds: defaults.timeoutSeconds,
    startTimeoutSeconds: defaults.startTimeoutSeconds,
    stalledAfterSeconds: defaults.stalledAfterSeconds,
    noProgressAfterSeconds: defaults.noProgressAfterSeconds,
    retries: defaults.retries,
    cpu: defaults.cpu,
    memory: defaults.memory,
    podOverrides: defaults.podOverrides,
  });
  if (parameters.action !== 'diff' || foreign) return { steps: [step(parameters.action, parsed.args)] };
  const guarded = parseOptions(withoutForce(parameters.options), { foreign });
  if ('error' in guarded) return guarded;
  return {
    steps: [step('delta', guarded.args), step('delete', parsed.args, { SYNCRATOR_PART_OF: 'diff' })],
  };
}
