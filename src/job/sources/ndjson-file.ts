/**
 * Source `ndjson` from a local file: the record lines of src/job/sources/ndjson-http.ts, ordered by id. Every run
 * reads the whole file, because its modification time does not tell when records changed.
 */
import { IncompleteListingError, JobError } from '../job-error.ts';
import { isAfter } from './byte-order.ts';
import { evidenceOfTotals, totalBeside, totalOfEnd } from './file-end.ts';
import { withForm } from './foreign-form.ts';
import { createIntake, IDS, type Intake, type ListingKind, RECORDS } from './intake.ts';
import { type Line, linesOf } from './lines.ts';
import { checkId, RecordFault } from './record-check.ts';
import type { Cursor, Evidence, Source } from './source.ts';
import { openSteadyFile, type SteadyFile } from './steady-file.ts';

/** A file counts as complete only if it was not written for this long. */
export const SETTLE_MS = 10_000;

export type FileSourceOptions = {
  readonly path: string;
  /** SOURCE_FILE_COMPLETE=true. */
  readonly renamedIntoPlace?: boolean;
  readonly stop: AbortSignal;
  readonly onWait?: (words: string | null) => void;
  readonly settleMs?: number;
};

export function createNdjsonFileSource(options: FileSourceOptions): Source {
  const { path, stop, onWait = () => {}, settleMs = SETTLE_MS, renamedIntoPlace = false } = options;
  let evidence = (): Promise<Evidence> => Promise.resolve({ complete: false, words: 'no listing has ended' });
  const open = (): Promise<SteadyFile> => openSteadyFile(path, { stop, settleMs, onWait });

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    from: Cursor | null,
    batchSize: number,
  ): AsyncGenerator<B> {
    evidence = () => Promise.resolve({ complete: false, words: 'the listing has not ended' });
    const file = await open();
    try {
      const intake = createIntake(kind, { from, batchSize });
      const { atEnd, hole } = yield* readInto(intake, file, path, from);
      const beside = await totalBeside(path);
      const count = intake.count();
      const told = evidenceOfTotals({ path, count, atEnd, beside, renamedIntoPlace });
      const unchanged = await file.isUnchanged();
      evidence = () => evidenceOf({ told, hole, unchanged, file, path });
    } finally {
      await file.close();
    }
  }

  return {
    shownAs: path,
    lists: 'everything',
    rereads: true,
    async survey() {
      await (await open()).close();
      return { total: await totalBeside(path) };
    },
    changedSince: (_since, from, batchSize) => listing(RECORDS, from, batchSize),
    ids: (batchSize) => listing(IDS, null, batchSize),
    evidence: () => evidence(),
    async stillThere(ids) {
      const file = await open();
      try {
        return await foundIn(file, path, new Set(ids));
      } finally {
        await file.close();
      }
    },
    clock: () => ({ earliest: null, skewMs: 0 }),
  };
}

/** Findings about the whole file, including the part that an earlier attempt has read. */
type Read = {
  /** The total in its end line; null without one. */
  readonly atEnd: number | null;
  /** Position of the first line without a readable id. */
  readonly hole: string | null;
};

/** Feeds the lines after the cursor into the intake. */
async function* readInto<B>(
  intake: Intake<B>,
  file: SteadyFile,
  path: string,
  from: Cursor | null,
): AsyncGenerator<B, Read> {
  const skip = createSkip(from, path);
  let number = 0;
  let total: number | null = null;
  for await (const lines of linesOfFile(file, path)) {
    for (const line of lines) {
      number += 1;
      const at = number;
      const where = (): string => `line ${at} of ${path}`;
      if (isBlank(line)) continue;
      if (total !== null) throw new IncompleteListingError(`${where()} stands after the end line`);
      total = totalOfEnd(line, where);
      if (total !== null) continue;
      for (const next of skip.pass({ line, where })) intake.take(next.line, next.where);
      const batch = intake.give('full');
      if (batch !== null) yield batch;
    }
  }
  for (const next of skip.end()) intake.take(next.line, next.where);
  const rest = intake.give('rest');
  if (rest !== null) yield rest;
  return { atEnd: total, hole: skip.hole() ?? intake.hole() };
}

type Placed = { readonly line: Line; readonly where: () => string };

/** Skips the records that an earlier attempt has read and checks that their number is unchanged. */
function createSkip(from: Cursor | null, path: string) {
  let skipping = from !== null && from.after !== '';
  let skipped = 0;
  /** Lines without a readable id; the next id shows on which side of the cursor they stand. */
  let nameless: Placed[] = [];
  let hole: string | null = null;

  function stop(): Placed[] {
    skipping = false;
    if (skipped !== from?.done) {
      throw new IncompleteListingError(
        `${path} has changed since the earlier attempt: it has ${skipped} records up to the checkpoint instead of ${from?.done}`,
      );
    }
    return nameless;
  }

  return {
    pass(placed: Placed): readonly Placed[] {
      if (!skipping) return [placed];
      const checked = typeof placed.line === 'string' ? checkId(placed.line) : null;
      const id = checked instanceof RecordFault ? checked.id : checked;
      nameless.push(placed);
      if (id === null) return [];
      if (isAfter(id, from?.after ?? '')) return stop();
      skipped += nameless.length;
      if (nameless.length > 1) hole ??= nameless[0]?.where() ?? null;
      nameless = [];
      return [];
    },
    hole: () => hole,
    end: (): readonly Placed[] => (skipping ? stop() : []),
  };
}

async function evidenceOf({
  told,
  hole,
  unchanged,
  file,
  path,
}: {
  told: Evidence;
  hole: string | null;
  unchanged: boolean;
  file: SteadyFile;
  path: string;
}): Promise<Evidence> {
  if (!told.complete) return told;
  if (hole !== null) return { complete: false, words: `${told.words}, but the id of ${hole} cannot be read` };
  if (unchanged && (await file.settles())) return told;
  return {
    complete: false,
    words: `${path} was written while it was read; write it under another name and rename it once it is complete`,
  };
}

async function foundIn(file: SteadyFile, path: string, asked: ReadonlySet<string>): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const lines of linesOfFile(file, path)) {
    for (const line of lines) {
      const id = typeof line === 'string' ? checkId(line) : null;
      if (typeof id === 'string' && asked.has(id)) found.add(id);
    }
  }
  return found;
}

function linesOfFile(file: SteadyFile, path: string): AsyncIterable<readonly Line[]> {
  const refuse = (form: string): JobError => new JobError('failed', `SOURCE_FILE ${path} holds ${form}`);
  return linesOf(withForm(file.chunks, refuse), { lastNeedsEnd: false });
}

function isBlank(line: Line): boolean {
  return typeof line === 'string' && line.trim() === '';
}
