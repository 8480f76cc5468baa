/** Files on a disk. Errors of a folder are errors of the listing: a pattern must not match fewer files without a word. */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { JobError, reasonOf } from '../../job-error.ts';
import { totalBeside } from '../file-end.ts';
import type { DiskAddress } from './files-settings.ts';
import { isPattern, matches } from './pattern.ts';
import type { FoundFile, Place } from './place.ts';

const CHUNK_BYTES = 1024 * 1024;

export function createDiskPlace({ path }: DiskAddress): Place {
  const pattern = isPattern(path);
  return {
    shownAs: path,
    isPattern: pattern,
    async list() {
      // A name may hold the signs of a pattern.
      const exact = await statOf(path, { mayLack: pattern });
      if (exact !== null) return [await foundFile(path)];
      const names = await matching('/', path.split('/').filter(Boolean));
      const files: FoundFile[] = [];
      for (const name of names.toSorted())
        if ((await statOf(name, { mayLack: false }))?.isFile()) files.push(await foundFile(name));
      if (files.length > 0) return files;
      const words = `SOURCE_PATH ${path} matches no file; correct it, or find out why nothing was delivered`;
      throw new JobError('sourceUnreachable', `${words} [unreachable]`);
    },
  };
}

async function foundFile(name: string): Promise<FoundFile> {
  const seen = await statOf(name, { mayLack: false });
  if (!seen?.isFile()) throw unreadable(name, new Error('it is not a regular file'));
  const { size, mtimeMs, ino } = seen;
  return {
    name,
    version: JSON.stringify([size, mtimeMs, ino]),
    isSure: true,
    writtenMs: mtimeMs,
    total: () => totalBeside(name),
    async open() {
      const path = await realpath(name).catch((error: unknown) => {
        throw unreadable(name, error);
      });
      return {
        path,
        chunks: () => readChunks(path, name),
        arrived: 'as-written',
        close: async () => {},
      };
    },
  };
}

export async function* readChunks(path: string, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** The paths below `folder` that match the parts of a pattern. */
async function matching(folder: string, [part = '', ...rest]: readonly string[]): Promise<string[]> {
  if (!isPattern(part)) {
    const path = join(folder, part);
    const seen = await statOf(path, { mayLack: true });
    if (seen === null || rest.length === 0) return seen === null ? [] : [path];
    return seen.isDirectory() ? await matching(path, rest) : [];
  }
  const entries = await entriesOf(folder);
  const found: string[] = part === '**' ? await matching(folder, rest.length === 0 ? ['*'] : rest) : [];
  for (const name of entries) {
    const path = join(folder, name);
    if (part === '**') {
      if (!name.startsWith('.') && (await isFolder(path)))
        found.push(...(await matching(path, [part, ...rest])));
    } else if (matches(name, part)) {
      if (rest.length === 0) found.push(path);
      else if (await isFolder(path)) found.push(...(await matching(path, rest)));
    }
  }
  return [...new Set(found)];
}

async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path, { mayLack: true }))?.isDirectory() ?? false;
}

async function entriesOf(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
}

async function statOf(path: string, { mayLack }: { mayLack: boolean }) {
  try {
    return await stat(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (mayLack && ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(code)) return null;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): JobError {
  const words = `cannot read ${path} of SOURCE_PATH: ${reasonOf(error)} [unreachable]`;
  return new JobError('sourceUnreachable', words, { cause: error });
}
