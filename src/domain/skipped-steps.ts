/** Decides which steps of a failed job a resume leaves out. Pure. */

export type EndedStep = {
  readonly step: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled' | null;
  readonly endedAt: Date | null;
};

/** How long a delta stays good: after that, a delete would compare with a source that has moved on. */
const FRESH_MS = 3_600_000;

/**
 * How many of its first steps are left out: the completed ones, unless the last of them ended over an hour ago.
 * @param now by the clock that wrote the times
 */
export function stepsToSkip(steps: readonly EndedStep[], now: Date): number {
  const completed = steps.filter(({ outcome }) => outcome === 'completed');
  const last = completed.at(-1);
  if (!last?.endedAt || now.getTime() - last.endedAt.getTime() > FRESH_MS) return 0;
  return last.step + 1;
}
