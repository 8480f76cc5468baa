/** Patterns of file names: `*`, `?`, `[abc]` and `{a,b}` within one folder, `**` for any number of folders. Pure. */
import { posix } from 'node:path';

export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** Names that begin with a dot match only a pattern that does, too. */
export function matches(name: string, pattern: string): boolean {
  return posix.matchesGlob(name, pattern);
}

/** What all names that match begin with. */
export function fixedStart(pattern: string): string {
  return /^[^*?[{]*/.exec(pattern)?.[0] ?? '';
}
