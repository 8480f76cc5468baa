/** Says which declared actions have no plan. Pure. */
import { isPlannable, PLANNABLE } from '../domain/action.ts';
import type { RunnerKind } from '../domain/job.ts';
import type { StepDefaults } from '../domain/plan.ts';

/** Why the action of a params file cannot be planned, as the rest of a sentence; undefined if it can. */
export function whyNoPlan({
  parameters,
  runner,
  defaults,
}: {
  readonly parameters: { readonly action: string };
  readonly runner: RunnerKind | null;
  readonly defaults: Pick<StepDefaults, 'image' | 'command' | 'keepsContract'>;
}): string | undefined {
  if (runner === 'external') return 'an external executor runs it';
  if (!isPlannable(parameters.action))
    return `ACTION is ${parameters.action}, and a plan is of ${PLANNABLE.join(', ')} alone`;
  // A program that looks at no arguments would do the whole action.
  if ((defaults.image !== null || defaults.command !== null) && !defaults.keepsContract)
    return 'its program (COMMAND, IMAGE) is not ours and may not know plans; EXIT_CODES=syncrator says that it keeps our contract';
  return undefined;
}
