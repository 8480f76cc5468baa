/** Decides which jobs offer a rollback. Pure; whether the sink still holds their history, only the preview can tell. */
import type { JobJson } from '../../client/client.ts';
import { approvalOf } from '../../domain/options.ts';
import { isFinal } from '../../domain/status.ts';
import { APPLY, ROLLBACK_PREVIEW, TARGET_ACTIONS } from '../../domain/action.ts';

/** Actions that write records, beside removals that were approved. A take-over is not among them. */
const CHANGING: ReadonlySet<string> = new Set([...TARGET_ACTIONS, APPLY]);

/** Decides by the reported counts; without counts, by whether any step completed. */
export function mayHaveChanged(job: JobJson): boolean {
  const { status, runner, job_type: type, parameters, progress, steps } = job;
  if (!isFinal(status) || runner === 'external' || type === ROLLBACK_PREVIEW) return false;
  if (!CHANGING.has(parameters.action) && approvalOf(parameters) === undefined) return false;
  const counts = [progress?.added, progress?.updated, progress?.deleted].filter(
    (count) => typeof count === 'number',
  );
  if (counts.length > 0) return counts.some((count) => count > 0);
  return steps.some(({ outcome }) => outcome === 'completed');
}
