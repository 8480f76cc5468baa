/** A reader of an alias, which searches again and again: it finds whole generations, never a mix and never nothing. */
import { setTimeout as wait } from 'node:timers/promises';
import { difference, type Rows, same } from '../../job/support/live-rows.ts';

const PAUSE_MS = 20;

export type Pictures = {
  readonly states: readonly Rows[];
  /** The job writes into the live data one by one, so each record is of some state. */
  readonly mayMix: boolean;
};

export function isOwed(rows: Rows, { states, mayMix }: Pictures): boolean {
  if (states.some((state) => same(state, rows))) return true;
  if (!mayMix) return false;
  const ids = new Set([...rows.keys(), ...states.flatMap((state) => [...state.keys()])]);
  return [...ids].every((id) => states.some((state) => state.get(id) === rows.get(id)));
}

export function watchAlias(
  seen: () => Promise<Rows>,
  owed: () => Pictures,
): { stop(): Promise<{ reads: number; violations: readonly string[] }> } {
  const violations: string[] = [];
  let reads = 0;
  let stopped = false;
  async function poll(): Promise<void> {
    while (!stopped) {
      const rows = await seen();
      reads += 1;
      const { states } = owed();
      if (!isOwed(rows, owed()))
        violations.push(`a reader found a state that never was: ${difference(rows, states.at(-1) ?? rows)}`);
      await wait(PAUSE_MS);
    }
  }
  const polled = poll().catch((error: unknown) => {
    violations.push(`a reader failed: ${String(error)}`);
  });
  return {
    async stop() {
      stopped = true;
      await polled;
      return { reads, violations };
    },
  };
}
