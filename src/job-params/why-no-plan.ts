/** Says which declared actions have no plan. Pure. */
import { isPlannable, PLANNABLE } from '../domain/action.ts';
import type { RunnerKind } from '../domain/job.ts';

/** Why the action of a params file cannot be planned, as the rest of a sentence; undefined if it can. */
export function whyNoPlan({
  parameters,
  runner,
}: {
  readonly parameters: { readonly action: string };
  readonly runner: RunnerKind | null;
}): string | undefined {
  if (runner === 'external') return 'an external executor runs it';
  if (isPlannable(parameters.action)) return undefined;
  return `ACTION is ${parameters.action}, and a plan is of ${PLANNABLE.join(', ')} alone`;
}
