/**
 * Tells cheaply whether params files may have changed: by the file numbers, sizes and times of all of them. Polling sees
 * every kind of change: a plain edit, a rename into place, and a ConfigMap, whose mount swaps the link `..data`. Watches of
 * the kernel miss changes on network file systems and of mounted volumes.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Equal texts mean equal files. Never rejects: what cannot be read is part of the text, as its code. */
export async function fingerprintOf(dir: string): Promise<string> {
  const environments = await namesIn(dir);
  const lines = await Promise.all(
    environments.map(async (env) => {
      const files = await namesIn(path.join(dir, env));
      return await Promise.all(files.map((file) => lineOf(dir, path.join(env, file))));
    }),
  );
  return [environments.join('/'), ...lines.flat()].join('\n');
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    return [codeOf(error)];
  }
}

async function lineOf(dir: string, file: string): Promise<string> {
  try {
    // Follows links. The time of the last change of the file number also moves when a copy keeps the time of its original.
    const { ino, size, mtimeNs, ctimeNs } = await stat(path.join(dir, file), { bigint: true });
    return [file, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `${file} ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
