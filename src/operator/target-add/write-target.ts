/** Writes the files of a new target: all of them or none, and never over another file. */
import { chmod, link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliFailure } from '../../terminal/failure.ts';

export type NewFile = {
  readonly path: string;
  readonly text: string;
  /** Readable by its owner alone. */
  readonly isSecret: boolean;
};

/** @throws CliFailure if one of them exists */
export async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const file of paths) if (await exists(file)) throw alreadyThere(file);
}

/** @throws CliFailure if one of them exists; files that were written before are removed again */
export async function writeAll(files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  try {
    for (const file of files) {
      await writeWhole(file);
      written.push(file.path);
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true });
    throw error;
  }
}

/** Appears at once and whole: api and worker may read the folder at any time. The link fails if the file exists. */
async function writeWhole({ path: file, text, isSecret }: NewFile): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, ...(isSecret ? { mode: 0o700 } : {}) });
  // Readers of params files skip names that begin with a dot.
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    if (!isSecret) await chmod(draft, 0o644);
    await link(draft, file);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyThere(file) : error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function alreadyThere(file: string): CliFailure {
  return new CliFailure(`${file} exists already; edit it, or remove it first. Nothing was written`);
}
