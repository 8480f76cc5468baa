/** From a params file's facts and a request to the steps that will run. Pure; what it returns is frozen. */
import type { JobParameters, PodOverrides, StepSpec } from './job.ts';
import { parseOptions } from './options.ts';

/** What a params file may say beyond the parameters (design.md §6). Seconds where it is a time. */
export type StepDefaults = {
  readonly image: string | null;
  readonly command: readonly string[] | null;
  readonly timeoutSeconds: number;
  readonly startTimeoutSeconds: number;
  readonly stalledAfterSeconds: number;
  readonly retries: number;
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly podOverrides: PodOverrides | null;
  readonly maxDeletePercent: number;
};

export const STEP_DEFAULTS: StepDefaults = {
  image: null,
  command: null,
  timeoutSeconds: 6 * 3600,
  startTimeoutSeconds: 600,
  // The sync program reports at least every 4 s; others are given three times 10 s.
  stalledAfterSeconds: 30,
  retries: 0,
  cpu: null,
  memory: null,
  podOverrides: null,
  maxDeletePercent: 10,
};

/** An executor elsewhere speaks when a phase of its work ends, not every few seconds. */
export const EXTERNAL_STALLED_AFTER_SECONDS = 3600;

export type Plan = { readonly steps: readonly StepSpec[] } | { readonly error: string };

/**
 * A diff is a delta, then a delete; `--force-delete` belongs to the delete alone. Every other action is one step.
 * @param image of our own program, without its tag
 */
export function planSteps(parameters: JobParameters, defaults: StepDefaults, image = 'syncrator'): Plan {
  const foreign = defaults.image !== null || defaults.command !== null;
  const parsed = parseOptions(parameters.options, { foreign });
  if ('error' in parsed) return parsed;
  const step = (action: string, args: readonly string[]): StepSpec => ({
    action,
    args: [action, ...args],
    image: defaults.image ?? `${image}:${parameters.is_tag}`,
    command: defaults.command,
    environment: {
      SYNCRATOR_MAX_DELETE_PERCENT: String(defaults.maxDeletePercent),
      ...(parameters.mam_main_query === null ? {} : { MAM_MAIN_QUERY: parameters.mam_main_query }),
    },
    timeoutSeconds: defaults.timeoutSeconds,
    startTimeoutSeconds: defaults.startTimeoutSeconds,
    stalledAfterSeconds: defaults.stalledAfterSeconds,
    retries: defaults.retries,
    cpu: defaults.cpu,
    memory: defaults.memory,
    podOverrides: defaults.podOverrides,
  });
  if (parameters.action !== 'diff' || foreign) return { steps: [step(parameters.action, parsed.args)] };
  const withoutForce = parsed.args.filter((arg) => arg !== '--force-delete');
  return { steps: [step('delta', withoutForce), step('delete', parsed.args)] };
}
