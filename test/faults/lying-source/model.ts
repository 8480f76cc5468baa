/**
 * Computes what must be live after a step, from what the source told and could prove. Pure; knows no server and no
 * table.
 */

import type { EXIT } from '../../../src/domain/exit-code.ts';

export type ExitName = keyof typeof EXIT;

/** The listing that a step reads: sync `everything`, delta `changes`, delete `ids`. */
export type Mode = 'everything' | 'changes' | 'ids';
export type Step = { readonly mode: Mode; readonly partOfDiff: boolean };

/** A record; its fields except id and time are JSON. */
export type Row = { readonly id: string; readonly updated_at: string; readonly json: string };
export type Live = ReadonlyMap<string, Row>;

/** The expected reaction to such a listing. */
export type Fate =
  /** Nothing in it reveals the lie: it counts as complete. */
  | { readonly kind: 'read' }
  /** Readable, but not proven complete. */
  | { readonly kind: 'unproven' }
  /** The run ends in one of these ways, and nothing is changed. */
  | { readonly kind: 'ends'; readonly exits: readonly ExitName[] };

export type Told = {
  readonly fate: Fate;
  readonly rows: readonly Row[];
  /** Ids of listed records that cannot be stored; MAX_REJECTED allows them. */
  readonly setAside: readonly string[];
  /** Ids that answer when they are requested again. */
  readonly answering: ReadonlySet<string>;
};

export type Limits = {
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  readonly maxUpdatePercent: number | null;
  readonly force: boolean;
};

export type State = { readonly live: Live; readonly proven: boolean };

export type Expected = State & {
  /** `applied`: as the source told. `unchanged`: byte for byte as before. `kept`: added and updated, nothing removed. */
  readonly verdict: 'applied' | 'unchanged' | 'kept';
  readonly exits: readonly ExitName[];
  /** Records that are live although the listing lacks them. */
  readonly kept: number;
};

const MOST_ANSWERS_PERCENT = 1;

export function expectedOf(step: Step, state: State, told: Told, limits: Limits): Expected {
  const { live, proven } = state;
  const unchanged = (...exits: ExitName[]): Expected => ({
    live,
    proven,
    verdict: 'unchanged',
    exits,
    kept: 0,
  });
  if (told.fate.kind === 'ends') return unchanged(...told.fate.exits);
  const rows = step.mode === 'ids' ? [] : told.rows;
  const written = new Map([...live, ...rows.map((row) => [row.id, row] as const)]);
  const updates = rows.filter((row) => live.has(row.id) && !isSame(live.get(row.id), row)).length;
  const isTooMuch = step.mode !== 'ids' && !mayUpdate(updates, live.size, limits);
  if (step.mode === 'changes') {
    if (isTooMuch) return unchanged('updateGuard');
    return { live: written, proven, verdict: 'applied', exits: ['ok'], kept: 0 };
  }

  const isComplete = told.fate.kind === 'read';
  if (!isComplete && (proven || (step.mode === 'ids' && !step.partOfDiff)))
    return unchanged('incompleteListing');
  const listed = new Set([...told.rows.map(({ id }) => id), ...told.setAside]);
  if (listed.size === 0) return unchanged('deleteGuard');
  const missing = [...live.keys()].filter((id) => !listed.has(id));
  if (isComplete && !mayRemove(missing.length, live.size, limits)) return unchanged('deleteGuard');
  if (isTooMuch) return unchanged('updateGuard');
  const after = step.mode === 'everything' ? { proven: isComplete } : { proven };
  if (!isComplete) return { live: written, ...after, verdict: 'kept', exits: ['ok'], kept: missing.length };
  const answers = missing.filter((id) => told.answering.has(id));
  if (answers.length * 100 > missing.length * MOST_ANSWERS_PERCENT) return unchanged('incompleteListing');
  for (const id of missing) if (!told.answering.has(id)) written.delete(id);
  return { live: written, ...after, verdict: 'applied', exits: ['ok'], kept: answers.length };
}

function mayRemove(removals: number, live: number, limits: Limits): boolean {
  const { maxDeletePercent: percent, maxDeleteRecords: least, force } = limits;
  return force || removals <= (percent === 0 ? 0 : Math.max(least, Math.floor((live * percent) / 100)));
}

function mayUpdate(updates: number, live: number, { maxUpdatePercent: percent }: Limits): boolean {
  return percent === null || updates <= Math.floor((live * percent) / 100);
}

function isSame(one: Row | undefined, other: Row): boolean {
  return one?.updated_at === other.updated_at && one.json === other.json;
}
