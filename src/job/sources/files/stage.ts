/**
 * Reads all files into the store of rows, so that survey, listing and questions about ids see the same state. A file that
 * changes meanwhile, or comes or goes, ends the run.
 */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Patience } from '../../http/outage.ts';
import { IncompleteListingError, JobError } from '../../job-error.ts';
import { CutFileError } from './cut-file.ts';
import { duckdbError, loadDuckdb, openDuckdb } from './duckdb.ts';
import { doubtOf, type FileFacts } from './evidence.ts';
import type { FilesSettings } from './files-settings.ts';
import { type FileFormat, formatOf } from './format.ts';
import { inspect } from './inspect.ts';
import { type FoundFile, isSameList, type OpenFile, type Place } from './place.ts';
import { readFile } from './read-file.ts';
import { noRoom } from '../no-room.ts';
import { makeRunFolder } from '../run-folder.ts';
import { createRowStore, type RowStore, type StoredRow } from './row-store.ts';

const TELL_MS = 5_000;

export type Stage = {
  readonly store: RowStore;
  readonly found: readonly FoundFile[];
  readonly files: readonly FileFacts[];
  /** Where a row stands, for errors. */
  readonly where: (row: StoredRow) => string;
  readonly close: () => void;
};

export type StageOptions = {
  readonly settings: FilesSettings;
  readonly place: Place;
  readonly stop: AbortSignal;
  readonly onWait: Patience['onWait'];
};

/** @throws JobError, IncompleteListingError */
export async function makeStage(options: StageOptions): Promise<Stage> {
  const { place, settings, stop } = options;
  // Before anything is fetched.
  await loadDuckdb();
  const found = await place.list();
  const folder = makeRunFolder();
  const store = openStore(folder);
  const close = (): void => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const where = ({ counts, place: number, file }: StoredRow): string =>
    `${counts} ${number} of ${found[file]?.name}`;
  try {
    const files = await readAll(found, { ...options, folder, store });
    store.order();
    refuseWrongIds(store, { settings, place, where });
    if (!isSameList(found, await place.list()))
      throw new IncompleteListingError(
        `${place.shownAs} changed while it was read; write files under another name and rename them once they are complete`,
      );
    stop.throwIfAborted();
    return { store, found, files, where, close };
  } catch (error) {
    close();
    throw error;
  }
}

function openStore(folder: string): RowStore {
  try {
    return createRowStore(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw noRoom(error);
  }
}

type Reading = StageOptions & { readonly folder: string; readonly store: RowStore };

async function readAll(found: readonly FoundFile[], reading: Reading): Promise<FileFacts[]> {
  const { folder, settings, stop } = reading;
  const formats = found.map(({ name }) => formatOf(name, settings.format));
  const files: FileFacts[] = [];
  const tell = createTeller(reading.onWait);
  for (const [nth, file] of found.entries()) {
    stop.throwIfAborted();
    const opened = await file.open(folder);
    try {
      const facts = await readOne({ file, opened, nth, format: formats[nth] ?? 'csv', tell }, reading);
      doubtOf(facts, settings.complete);
      files.push(facts);
    } finally {
      await opened.close();
    }
  }
  tell.over();
  return files;
}

type One = {
  readonly file: FoundFile;
  readonly opened: OpenFile;
  readonly nth: number;
  readonly format: FileFormat;
  readonly tell: ReturnType<typeof createTeller>;
};

async function readOne(
  { file, opened, nth, format, tell }: One,
  { folder, store, settings, stop }: Reading,
): Promise<FileFacts> {
  const { name } = file;
  const { arrived } = opened;
  const inspected = await inspect(opened.chunks(), { name, format, stop }).catch((error: unknown) => {
    throw error instanceof CutFileError ? new IncompleteListingError(`${name}: ${error.message}`) : error;
  });
  const total = await file.total();
  let count = 0;
  // DuckDB would read a name with the signs of a pattern as one.
  const path = join(folder, `file-${nth}`);
  symlinkSync(opened.path, path);
  const { longest } = inspected.scanned;
  const duckdb = await openDuckdb({ files: [opened.path], folder, stop, longest });
  try {
    for await (const rows of readFile(duckdb, { name, path, ...inspected }, { format, choice: settings })) {
      store.add(rows, nth);
      count += rows.length;
      tell.rows(name, rows.length);
    }
  } catch (error) {
    stop.throwIfAborted();
    throw duckdbError(error, { path, name });
  } finally {
    duckdb.close();
    rmSync(path);
  }
  return { name, format, arrived, count, total, ...inspected };
}

function refuseWrongIds(
  store: RowStore,
  { settings, place, where }: Pick<StageOptions, 'settings' | 'place'> & Pick<Stage, 'where'>,
): void {
  const [first, second] = store.twice() ?? [];
  if (first !== undefined && second !== undefined) {
    const words = `${where(first)} and ${where(second)} have the same id ${JSON.stringify(first.id)}; name columns in SOURCE_ID that are a unique key`;
    throw new JobError('notConfigured', words);
  }
  // Where no row is sound, their own faults say more than a wrong SOURCE_ID.
  if (store.countSound() === 0 || store.countWithId() > 0) return;
  const words = `no record of ${place.shownAs} has a value in ${settings.id.join(' and ')}, which SOURCE_ID names`;
  throw new JobError('notConfigured', `${words}; correct SOURCE_ID, or SOURCE_FORMAT`);
}

/** Says now and then how far the reading is: the sink gets its first record only after the last file. */
function createTeller(onWait: Patience['onWait']) {
  let count = 0;
  let toldAt = performance.now();
  let hasTold = false;
  return {
    rows(name: string, more: number): void {
      count += more;
      if (performance.now() - toldAt < TELL_MS) return;
      toldAt = performance.now();
      hasTold = true;
      onWait(`the end of the files: ${count} records so far, in ${name}`);
    },
    over(): void {
      if (hasTold) onWait(null);
    },
  };
}
