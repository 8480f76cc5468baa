/** Compares two sets of params files by target: what a reload added, changed and removed. Pure. */
import type { Key } from '../domain/job.ts';
import type { ParamsFile } from './parse.ts';

export type ParamsChanges = { readonly [K in 'added' | 'changed' | 'removed']: readonly Key[] };

/** Comments and the order of lines do not count: only their meaning does. */
export function changesBetween(before: readonly ParamsFile[], after: readonly ParamsFile[]): ParamsChanges {
  const [old, now] = [byTarget(before), byTarget(after)];
  const keys = [...now.keys()];
  return {
    added: keys.filter((id) => !old.has(id)).map(keyOf),
    changed: keys.filter((id) => old.has(id) && meaningOf(old, id) !== meaningOf(now, id)).map(keyOf),
    removed: [...old.keys()].filter((id) => !now.has(id)).map(keyOf),
  };
}

type ByTarget = ReadonlyMap<string, readonly ParamsFile[]>;

/** Names hold no `/`. */
function byTarget(files: readonly ParamsFile[]): ByTarget {
  return Map.groupBy(files, ({ env, target }) => `${env}/${target}`);
}

function keyOf(id: string): Key {
  const [env = '', target = ''] = id.split('/');
  return { env, target };
}

/** A TARGET_PATTERN counts by its text, since JSON leaves out its function. */
function meaningOf(files: ByTarget, id: string): string {
  return JSON.stringify(files.get(id));
}
