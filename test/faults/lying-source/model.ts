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
  /** Ids that a listing of changes tells as deleted. */
  readonly gone?: readonly string[];
  /** Ids that answer when they are requested again. */
  readonly answering: ReadonlySet<string>;
};

export type Limits = {
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  readonly maxUpdatePercent: number | null;
  readonly force: boolean;
  /** The sink can hold removals above the limits. */
  readonly holds: boolean;
};

export type State = {
  readonly live: Live;
  readonly proven: boolean;
  /** Ids whose removal waits for an answer. */
  readonly held: ReadonlySet<string>;
};

export type Expected = State & {
  /** `applied`: as the source told. `unchanged`: byte for byte as before. `kept`: added and updated, nothing removed. */
  readonly verdict: 'applied' | 'unchanged' | 'kept';
  readonly exits: readonly ExitName[];
  /** Records that are live although the listing lacks them. */
  readonly kept: number;
  /** Of these, the ones that the job reports as held. */
  readonly toldHeld: number;
};

const MOST_ANSWERS_PERCENT = 1;

export function expectedOf(step: Step, state: State, told: Told, limits: Limits): Expected {
  const { live, proven, held } = state;
  if (told.fate.kind === 'ends') return unchanged(state, ...told.fate.exits);
  const rows = step.mode === 'ids' ? [] : told.rows;
  const written = new Map([...live, ...rows.map((row) => [row.id, row] as const)]);
  const updates = rows.filter((row) => live.has(row.id) && !isSame(live.get(row.id), row)).length;
  const isTooMuch = step.mode !== 'ids' && !mayUpdate(updates, live.size, limits);
  const listed = new Set([...told.rows.map(({ id }) => id), ...told.setAside]);
  const waiting = [...held].filter((id) => !listed.has(id));
  if (step.mode === 'changes') {
    if (isTooMuch) return unchanged(state, 'updateGuard');
    const gone = (told.gone ?? []).filter((id) => live.has(id) && !told.answering.has(id));
    if (!mayRemove(gone.length, live.size, { ...limits, force: false })) {
      const counts = { kept: gone.length, toldHeld: gone.length };
      return {
        ...applied(written, proven, [...new Set([...waiting, ...gone])]),
        verdict: 'applied',
        ...counts,
      };
    }
    for (const id of gone) written.delete(id);
    return { ...applied(written, proven, waiting), verdict: 'applied', kept: 0, toldHeld: 0 };
  }

  const isComplete = told.fate.kind === 'read';
  if (!isComplete && (proven || (step.mode === 'ids' && !step.partOfDiff)))
    return unchanged(state, 'incompleteListing');
  if (listed.size === 0) return unchanged(state, 'deleteGuard');
  const missing = [...live.keys()].filter((id) => !listed.has(id));
  const isOver = isComplete && !mayRemove(missing.length, live.size, limits);
  if (isOver && !limits.holds) return unchanged(state, 'deleteGuard');
  if (isTooMuch) return unchanged(state, 'updateGuard');
  const provenNow = step.mode === 'everything' ? isComplete : proven;
  if (!isComplete) {
    const counts = { kept: missing.length, toldHeld: waiting.length };
    return { ...applied(written, provenNow, waiting), verdict: 'kept', ...counts };
  }
  const answers = missing.filter((id) => told.answering.has(id));
  if (answers.length * 100 > missing.length * MOST_ANSWERS_PERCENT)
    return unchanged(state, 'incompleteListing');
  const gone = missing.filter((id) => !told.answering.has(id));
  const stay = isOver ? gone : limits.force ? [] : gone.filter((id) => held.has(id));
  const staying = new Set(stay);
  for (const id of gone) if (!staying.has(id)) written.delete(id);
  const counts = { kept: answers.length + stay.length, toldHeld: stay.length };
  return { ...applied(written, provenNow, stay), verdict: 'applied', ...counts };
}

export function unchanged(state: State, ...exits: readonly ExitName[]): Expected {
  return { ...state, verdict: 'unchanged', exits, kept: 0, toldHeld: 0 };
}

function applied(live: Live, proven: boolean, held: readonly string[]): State & Pick<Expected, 'exits'> {
  return { live, proven, held: new Set(held), exits: ['ok'] };
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
