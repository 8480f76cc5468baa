/** Patterns of file names: `*`, `?`, `[abc]` and `{a,b}` within one folder, `**` for any number of folders. Pure. */
import { posix } from 'node:path';

export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** Names that begin with a dot match only a pattern that does, too. */
export function matches(name: string, pattern: string): boolean {
  // Brackets such as those of `*(1).csv` stand for themselves.
  return posix.matchesGlob(
    name,
    pattern.replaceAll(/\[[^\]]*\]|[()]/g, (part) => (part.length === 1 ? `[${part}]` : part)),
  );
}

/** The beginning of all names that match. */
export function fixedStart(pattern: string): string {
  return /^[^*?[{]*/.exec(pattern)?.[0] ?? '';
}
