/**
 * Computes what the items of a bank must be after a step. Items are imported one by one, in place, so a run may end
 * half-way. Pure.
 */

import { expectedOf, type ExitName, type Fate, type Mode, type Row } from './model.ts';

/** id → sha of the live revision. */
export type Shas = ReadonlyMap<string, string>;

export type BankTold = {
  readonly fate: Fate;
  /** The listed items, with the latest revision of each. */
  readonly listed: Shas;
  /** Listed, but cannot be imported. */
  readonly failing: ReadonlySet<string>;
  /** Listed and marked for deletion: unchanged until a delete. */
  readonly marked: ReadonlySet<string>;
  /** Exists, or may exist, when requested by id. */
  readonly answering: ReadonlySet<string>;
};

export type BankExpected = {
  readonly exits: readonly ExitName[];
  readonly live: Shas;
  /** Each item is as in `live` or as it was before. */
  readonly partly: boolean;
};

export function bankExpectedOf(
  step: { mode: Mode; partOfDiff: boolean },
  live: Shas,
  told: BankTold,
): BankExpected {
  const { fate, listed, failing, marked, answering } = told;
  if (step.mode === 'ids') {
    const rows = [...listed.keys()].filter((id) => !marked.has(id)).map((id) => rowOf(id));
    const before = new Map([...live.keys()].map((id) => [id, rowOf(id)] as const));
    const limits = {
      maxDeletePercent: 10,
      maxDeleteRecords: 5,
      maxUpdatePercent: null,
      force: false,
      holds: false,
    };
    const told = { fate, rows, setAside: [], answering };
    const { exits, live: after } = expectedOf(
      step,
      { live: before, proven: false, held: new Set() },
      told,
      limits,
    );
    return { exits, live: new Map([...live].filter(([id]) => after.has(id))), partly: false };
  }
  const brought = [...listed].filter(([id]) => !failing.has(id) && !marked.has(id));
  const after = new Map([...live, ...brought]);
  if (fate.kind === 'ends') return { exits: fate.exits, live: after, partly: true };
  return { exits: failing.size > 0 ? ['itemsFailed'] : ['ok'], live: after, partly: false };
}

function rowOf(id: string): Row {
  return { id, updated_at: '', json: '' };
}
