/**
 * Predicts the result of a rollback from snapshots of the table before and after each change set, independently of how
 * the sink stores its history. Pure.
 */

import { type Rows, same } from './live-rows.ts';

export type PlayedSet = {
  readonly job: number;
  readonly before: Rows;
  readonly after: Rows;
  /** Ids that it wrote, including items that were written unchanged. */
  readonly wrote: ReadonlySet<string>;
  /** The standing syncs before it, oldest first. */
  readonly standing: readonly number[];
  /** Ids that other programs had written before it and no sync has corrected since. */
  readonly dirty: ReadonlySet<string>;
};

export type Owed = {
  readonly rows: Rows;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly changedByOthers: number;
  /** No other program wrote since, so the result must equal the old table exactly. */
  readonly exact: boolean;
};

/**
 * @param since the sets from the job's first one on, oldest first
 * @param chosen the ids that the rollback is limited to; null: all
 */
export function owedBy(
  since: readonly PlayedSet[],
  live: Rows,
  chosen: ReadonlySet<string> | null = null,
): Owed {
  const isChosen = (id: string): boolean => chosen === null || chosen.has(id);
  const rows = new Map(live);
  const newest = new Map<string, string | undefined>();
  for (const { wrote, after } of since) for (const id of wrote) newest.set(id, after.get(id));
  for (const { wrote, before } of since.toReversed()) {
    for (const id of [...wrote].filter(isChosen)) {
      const was = before.get(id);
      if (was === undefined) rows.delete(id);
      else rows.set(id, was);
    }
  }
  const effect = [...newest.keys()].filter(isChosen).filter((id) => rows.get(id) !== live.get(id));
  const alone = since.every(({ after }, at) => same(after, since[at + 1]?.before ?? live));
  return {
    rows,
    added: effect.filter((id) => !live.has(id)).length,
    updated: effect.filter((id) => live.has(id) && rows.has(id)).length,
    removed: effect.filter((id) => !rows.has(id)).length,
    changedByOthers: effect.filter((id) => newest.get(id) !== live.get(id)).length,
    exact: alone && chosen === null,
  };
}

export function differing(a: Rows, b: Rows): Set<string> {
  return new Set([...a.keys(), ...b.keys()].filter((id) => a.get(id) !== b.get(id)));
}
