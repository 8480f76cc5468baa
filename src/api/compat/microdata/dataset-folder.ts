/** Lists and deletes the tar files in the folder of importable datasets; follows no links. */
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, unlink } from 'node:fs/promises';
import path from 'node:path';
import { tarEntries, TarFault } from './tar-entries.ts';

/** The names that the importer accepts; 251 characters and `.tar` make the longest file name. */
export const DATASET_NAME = /^[A-Z][A-Z0-9_]{0,250}$/;
const ARCHIVE = 'archive';
/** Files read at once: reading uses the thread pool that all of Node shares. */
const AT_ONCE = 2;
const MOST_ENTRIES = 100_000;
const DEADLINE_MS = 10_000;

export type Dataset = {
  readonly datasetName: string;
  readonly hasMetadata: boolean;
  readonly hasData: boolean;
  readonly isArchived: boolean;
};
/** `file`: path below the folder; `why`: reason in words. */
export type Skipped = { readonly file: string; readonly why: string };
export type Listing = { readonly datasets: readonly Dataset[]; readonly skipped: readonly Skipped[] };

/**
 * Lists datasets by name; files that are unreadable, not tar files or wrongly named are in `skipped`.
 * @throws the system's error when the folder itself cannot be read; TimeoutError when it does not answer at all
 */
export async function listDatasets(folder: string, deadlineMs = DEADLINE_MS): Promise<Listing> {
  const signal = AbortSignal.timeout(deadlineMs);
  const datasets: Dataset[] = [];
  const skipped: Skipped[] = [];
  const found = await until(signal, findTars(folder, skipped));
  const queue = [...found].reverse();
  const lane = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const tar = next;
      await until(signal, lookInto(tar, signal)).then(
        (dataset) => datasets.push(dataset),
        (error: unknown) => skipped.push({ file: tar.shown, why: whyOf(error) }),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const order = (a: Dataset, b: Dataset) =>
    a.datasetName < b.datasetName ? -1 : a.datasetName > b.datasetName ? 1 : Number(a.isArchived) - 1;
  return {
    datasets: datasets.toSorted(order),
    skipped: skipped.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
  };
}

/** Whether the folder itself has the dataset; its archive does not count. */
export async function hasDataset(folder: string, name: string): Promise<boolean> {
  const file = await fileOf(folder, name);
  return await unlessGone(async () => (await lstat(file)).isFile());
}

/** Deletes a dataset from the folder itself, never from its archive. Returns false if there is none. */
export async function removeDataset(folder: string, name: string): Promise<boolean> {
  const file = await fileOf(folder, name);
  return await unlessGone(async () => {
    if (!(await lstat(file)).isFile()) return false;
    await unlink(file);
    return true;
  });
}

async function fileOf(folder: string, name: string): Promise<string> {
  if (!DATASET_NAME.test(name)) throw new Error('not the name of a dataset');
  return path.join(await realpath(folder), `${name}.tar`);
}

async function unlessGone(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

type Tar = {
  readonly file: string;
  readonly shown: string;
  readonly name: string;
  readonly isArchived: boolean;
};

async function findTars(folder: string, skipped: Skipped[]): Promise<Tar[]> {
  const root = await realpath(folder);
  const tars: Tar[] = [];
  for (const below of ['', ARCHIVE]) {
    const dir = path.join(root, below);
    if (below !== '' && !(await isFolder(dir, skipped))) continue;
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (!entry.name.endsWith('.tar')) continue;
      const shown = path.join(below, entry.name);
      const name = entry.name.slice(0, -'.tar'.length);
      if (!DATASET_NAME.test(name)) skipped.push({ file: shown, why: 'not a dataset name' });
      else if (!entry.isFile()) skipped.push({ file: shown, why: 'not a file' });
      else tars.push({ file: path.join(dir, entry.name), shown, name, isArchived: below !== '' });
    }
  }
  return tars;
}

async function isFolder(dir: string, skipped: Skipped[]): Promise<boolean> {
  try {
    if ((await lstat(dir)).isDirectory()) return true;
    skipped.push({ file: path.basename(dir), why: 'not a folder' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return false;
}

async function lookInto({ file, name, isArchived }: Tar, signal: AbortSignal): Promise<Dataset> {
  signal.throwIfAborted();
  // Rejects a link that was put there since, and does not block on a pipe.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new TarFault('not a file');
    let hasMetadata = false;
    let hasData = false;
    for await (const entry of tarEntries(handle, { size: stat.size, most: MOST_ENTRIES, signal })) {
      const inside = entry.name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
      hasMetadata ||= entry.isFile && inside === `${name}.json`;
      hasData ||= inside === 'chunks' || inside.startsWith('chunks/');
    }
    return { datasetName: name, hasMetadata, hasData, isArchived };
  } finally {
    await handle.close();
  }
}

/** Stops waiting when the signal aborts; a hanging disk cannot be interrupted. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined); // reported already, or too late
  }
}

function whyOf(error: unknown): string {
  if (error instanceof TarFault) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return 'not read in time';
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'deleted while it was being read';
  if (code !== undefined) return `cannot be read (${code})`;
  throw error;
}
