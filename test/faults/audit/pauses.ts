/** Checks that no job began while maintenance was on. */
import type { StatusChange } from './status-log.ts';

/** A claim under way when the flag is set may still be written. */
const UNDER_WAY_MS = 1_500;

/** @param flags every change of the flag, oldest first */
export function checkPauses(
  flags: readonly { readonly paused: boolean; readonly at: Date }[],
  changes: readonly StatusChange[],
): string[] {
  const begun = new Map<number, Date>();
  for (const { jobId, status, at } of changes)
    if (status === 'starting' && !begun.has(jobId)) begun.set(jobId, at);
  const pauses = flags.flatMap(({ paused, at }, index) =>
    paused ? [{ from: at.getTime() + UNDER_WAY_MS, to: flags[index + 1]?.at.getTime() ?? Infinity }] : [],
  );
  return [...begun].flatMap(([id, at]) =>
    pauses.some(({ from, to }) => at.getTime() > from && at.getTime() < to)
      ? [`job ${id} began at ${at.toISOString()}, while maintenance was on`]
      : [],
  );
}
