/**
 * Source `files`: the rows of CSV, TSV, JSON, NDJSON and Parquet files as records. Every run reads the files whole, because
 * the time of a file does not tell when its records changed.
 */
import { PATIENCE_MS, type Patience } from '../../http/outage.ts';
import { IncompleteListingError } from '../../job-error.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { batchesOf, createIntake, IDS, type ListingKind, RECORDS } from '../intake.ts';
import { type Line, UnreadableLine } from '../lines.ts';
import { idLine, recordLine } from '../row-line.ts';
import type { Cursor, Evidence, Source } from '../source.ts';
import { evidenceOf } from './evidence.ts';
import type { FilesSettings } from './files-settings.ts';
import { openPlace } from './open-place.ts';
import type { StoredRow } from './row-store.ts';
import { createStages } from './stages.ts';

/** A file on a disk counts as complete only if it was not written for this long. */
const SETTLE_MS = 10_000;

export type FilesSourceOptions = {
  readonly settings: FilesSettings;
  readonly stop: AbortSignal;
  readonly onWait?: Patience['onWait'];
  readonly patienceMs?: number;
  readonly silenceMs?: number;
};

export function createFilesSource(options: FilesSourceOptions): Source {
  const { settings, stop, onWait = () => {}, patienceMs = PATIENCE_MS, silenceMs } = options;
  const patience = { patienceMs, onWait, stop };
  const place = openPlace(settings.where, { patience, ...(silenceMs === undefined ? {} : { silenceMs }) });
  /** The time of records whose rows do not tell when they changed. */
  const stamp = settings.updatedAt === null ? new Date().toISOString() : null;
  const stages = createStages({ settings, place, stop, onWait, settleMs: Math.min(SETTLE_MS, patienceMs) });
  let evidence = (): Promise<Evidence> => Promise.resolve({ complete: false, words: 'no listing has ended' });

  async function* listing<T, B>(
    kind: ListingKind<T, B>,
    lineOf: (row: StoredRow) => Line,
    { from, batchSize }: { from: Cursor | null; batchSize: number },
  ): AsyncGenerator<B> {
    evidence = () => Promise.resolve({ complete: false, words: 'the listing has not ended' });
    const { store, where, files, found } = await stages.forListing();
    if (from !== null) refuseChange(from, store.countUpTo(from.after), place.shownAs);
    const intake = createIntake(kind, { from, batchSize });
    yield* batchesOf(intake, store.rows(from?.after ?? null), { lineOf, where, stop });
    const told = evidenceOf({
      files,
      isPattern: place.isPattern,
      complete: settings.complete,
      hole: intake.hole(),
    });
    evidence = async () => {
      if (!told.complete || (await stages.settles(found))) return told;
      const fix = 'write files under another name and rename them once they are complete';
      return { complete: false, words: `${place.shownAs} was written while it was read; ${fix}` };
    };
  }

  return {
    shownAs: place.shownAs,
    lists: 'everything',
    rereads: true,
    stamps: stamp !== null,
    /** Known once the files are read: a load of other files is not resumed. */
    get mapping() {
      const { format, id, updatedAt } = settings;
      return fingerprintOf([place.shownAs, format, id, updatedAt, stages.versions()]);
    },
    survey: async () => ({ total: (await stages.forSurvey()).store.count() }),
    changedSince: (_since, from, batchSize) =>
      listing(RECORDS, (row) => lineOfRow(row, stamp), { from, batchSize }),
    ids: (batchSize) => listing(IDS, lineOfId, { from: null, batchSize }),
    evidence: () => evidence(),
    async stillThere(ids) {
      const { store } = await stages.fresh();
      return new Set(ids.filter((id) => store.has(id)));
    },
    clock: () => ({ earliest: null, skewMs: 0 }),
    close: async () => stages.close(),
  };
}

function lineOfRow({ id, at, record, fault }: StoredRow, stamp: string | null): Line {
  if (record === null) return new UnreadableLine(fault ?? '', id);
  return recordLine({ id: id ?? '', at, record }, stamp);
}

function lineOfId({ id, fault }: StoredRow): Line {
  return fault === null ? idLine(id ?? '') : new UnreadableLine(fault, id);
}

function refuseChange({ after, done }: Cursor, count: number, shownAs: string): void {
  if (after === '' || count === done) return;
  throw new IncompleteListingError(
    `${shownAs} has changed since the earlier attempt: it has ${count} records up to the checkpoint instead of ${done}`,
  );
}
