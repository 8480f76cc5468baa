/** Stores sets of held records in pieces beside the state, and deletes those that the state no longer names. */
import type { z } from 'zod';
import { JobError, WrongLoadError } from '../../job-error.ts';
import { inGroups } from '../../sources/in-groups.ts';
import type { FencedStore } from './fenced-store.ts';
import {
  entriesOf,
  type HeldEntry,
  type HeldPages,
  IDS_PER_PIECE,
  keysOf,
  newSet,
  piece,
  pieceOf,
} from './held-set.ts';
import { setsOf } from './settle-plan.ts';
import type { HeldSet, Planned } from './state-parts.ts';

/** The documents of the pieces. Each call is safe to repeat. */
export type PieceMedium = {
  /** The piece is durable once the next change of the state is. */
  write(key: string, piece: object): Promise<void>;
  /** null: there is none. */
  read(key: string): Promise<unknown>;
  remove(keys: readonly string[]): Promise<void>;
};

export type HeldSets = {
  /** Names a set of so many records as one to delete until a generation has it. @returns it; null: of none */
  announce(count: number): Promise<HeldSet | null>;
  /** @throws WrongLoadError unless there are as many entries as the set says; JobError `fenced` */
  write(set: HeldSet, entries: AsyncIterable<HeldEntry> | Iterable<HeldEntry>): Promise<void>;
  /** @param set null: none @throws JobError if a piece is missing */
  read(set: HeldSet | null): HeldPages;
  /** Reads the pieces that were written before the program was killed. */
  readWritten(set: HeldSet): HeldPages;
  /** Deletes the sets that the state no longer names, as those of a generation or of a plan. */
  deleteDropped(): Promise<void>;
};

type State = { readonly dropped_sets: HeldSet[]; readonly planned: Planned | null };

/** @param of.where the index or collection of the pieces */
export function createHeldSets<S extends State>(
  { alias, where, store }: { alias: string; where: string; store: FencedStore<S> },
  medium: PieceMedium,
): HeldSets {
  async function* readPieces(set: HeldSet, missing: (key: string) => void): HeldPages & AsyncGenerator {
    for (const key of keysOf(alias, set)) {
      const found = await readPiece({ where, medium }, key, piece);
      if (found) yield entriesOf(found);
      else missing(key);
    }
  }
  return {
    async announce(count) {
      if (count === 0) return null;
      const set = newSet(count);
      await store.change((state) => ({ ...state, dropped_sets: [...state.dropped_sets, set] }));
      return set;
    },
    async write(set, entries) {
      const keys = keysOf(alias, set);
      let written = 0;
      for await (const some of inGroups(entries, PIECES)) {
        const key = keys.shift();
        written += some.length;
        if (key === undefined || written > set.count) break;
        await store.read();
        await medium.write(key, pieceOf(some));
      }
      if (written !== set.count)
        throw new WrongLoadError(
          `${alias}: ${written} records would be held instead of ${set.count}, so another program writes to it; nothing was ` +
            'changed. Stop that program, then run the job again',
        );
    },
    async *read(set) {
      if (set) yield* readPieces(set, (key) => refuseMissing(where, key));
    },
    readWritten: (set) => readPieces(set, () => {}),
    async deleteDropped() {
      const { dropped_sets: listed, planned } = await store.read();
      const kept = new Set(setsOf(planned).map(({ id }) => id));
      const dropped = listed.filter(({ id }) => !kept.has(id));
      if (dropped.length === 0) return;
      for (const set of dropped) await medium.remove(keysOf(alias, set));
      const gone = new Set(dropped.map(({ id }) => id));
      await store.change((state) => ({
        ...state,
        dropped_sets: state.dropped_sets.filter(({ id }) => !gone.has(id)),
      }));
    },
  };
}

/** @returns null: there is no piece of this key @throws JobError if it has another form */
export async function readPiece<T>(
  { where, medium }: { where: string; medium: PieceMedium },
  key: string,
  form: z.ZodType<T>,
): Promise<T | null> {
  const found = await medium.read(key);
  if (found === null) return null;
  const parsed = form.safeParse(found);
  if (parsed.success) return parsed.data;
  const why = 'a newer version or another program has written it; upgrade Syncrator';
  throw new JobError('failed', `sink: cannot read document ${key} of ${where}: ${why}`, {
    cause: parsed.error,
  });
}

/** Ids are short: their number alone bounds a piece. */
const PIECES = { make: (entry: HeldEntry) => entry, lengthOf: () => 0, mostRows: IDS_PER_PIECE };

function refuseMissing(where: string, key: string): never {
  throw new JobError(
    'failed',
    `sink: the document ${key} of ${where} is missing, which names records whose removal waits for an answer; nothing was ` +
      'changed. Restore it from a backup, or run a sync with --force-delete, which removes all records that the source lacks',
  );
}
