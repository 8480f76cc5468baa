/**
 * The promotion guard: a start in one env needs a job of the same target and action that completed in another env, with the
 * same steps. Says what of a step counts. Pure.
 */
import { isBesideSync } from './action.ts';
import type { Promotion, StepSpec } from './job.ts';
import { isNamesake, withoutPlan } from './options.ts';
import { isSameJson } from './same-json.ts';

/** PROMOTE_FROM and PROMOTE_WITHIN of a params file. */
export type PromotionRule = Pick<Promotion, 'from' | 'withinSeconds'>;

/** Options of our own program that an env has for itself, with the number of their values: size, log, index. */
const OF_ENV: Readonly<Record<string, number>> = { '-n': 1, '-c': 1, '--debug': 0, '--target_env': 1 };

/** Rollback, take-over, removal and forgetting repair one env; no other env could have run them first. */
export function needsPromotion(job: { readonly action: string; readonly options: string }): boolean {
  return !isBesideSync(job.action) || isNamesake(job);
}

/** The steps of an apply, as the planned action would have had them. */
export function asPlanned(steps: readonly StepSpec[], action: string): StepSpec[] {
  return steps.map((step) => ({ ...step, action, args: [action, ...withoutPlan(step.args.slice(1))] }));
}

/** True if both lists of steps run the same program with the same arguments. Limits, times and the pod may differ. */
export function areSameSteps(one: readonly StepSpec[], other: readonly StepSpec[]): boolean {
  return isSameJson(one.map(comparable), other.map(comparable));
}

function comparable(step: StepSpec) {
  const { action, image, command, environment } = step;
  return {
    action,
    image,
    command: command === null ? null : [...command],
    args: argsOf(step),
    query: environment['MAM_MAIN_QUERY'] ?? null,
  };
}

/** The meaning of another program's arguments is unknown: all of them count. */
function argsOf({ args, command, ownExitCodes }: StepSpec): string[] {
  if (command !== null || ownExitCodes === true) return [...args];
  const kept: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (Object.hasOwn(OF_ENV, arg)) at += OF_ENV[arg] ?? 0;
    else kept.push(arg);
  }
  return kept;
}

export type NotPromoted = {
  readonly env: string;
  readonly target: string;
  readonly action: string;
  readonly from: string;
  readonly withinSeconds: number;
  /** The newest completed job there within the time, whose steps differ; null if none completed. */
  readonly other: number | null;
};

export function describeNotPromoted({
  env,
  target,
  action,
  from,
  withinSeconds,
  other,
}: NotPromoted): string {
  const lacks =
    other === null
      ? `no job of it completed in env '${from}' within ${ageWords(withinSeconds)} (PROMOTE_WITHIN)`
      : `no job of it with the same image, command and options completed in env '${from}' within ` +
        `${ageWords(withinSeconds)} (PROMOTE_WITHIN); job ${other} ran with others`;
  return `${action} of target '${target}' may not start in env '${env}': ${lacks}`;
}

function ageWords(seconds: number): string {
  const hours = Math.round(seconds / 3600);
  if (hours % 24 !== 0 || hours < 48) return `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  return `${hours / 24} days`;
}
