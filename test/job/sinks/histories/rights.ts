/**
 * The rule itself, stated apart from the model: no record leaves the live data without a complete listing that lacks it,
 * and without an answer to the question of its removal: below the limits and never held, forced, or approved by its id.
 */
import type { Rows } from '../../support/live-rows.ts';
import { mostRemovals } from './after-listing.ts';
import type { Told } from './telling.ts';
import type { World } from './world.ts';

export type Permission =
  | { readonly kind: 'listing'; readonly told: Told; readonly force: boolean }
  | { readonly kind: 'changes'; readonly told: Told }
  | { readonly kind: 'approval'; readonly ids: readonly string[]; readonly answers: ReadonlySet<string> }
  /** Back to the generation that is kept. */
  | { readonly kind: 'rollback' }
  | { readonly kind: 'none' };

/** @param before as of a world that was possible @returns why some of them should not have gone; null: all is right */
export function wrongLosses(before: World, after: Rows, permission: Permission): string | null {
  const gone = [...before.live.keys()].filter((id) => !after.has(id));
  if (gone.length === 0) return null;
  const wrong = (ids: readonly string[], why: string): string | null =>
    ids.length === 0 ? null : `[${ids.join(' ')}] went ${why}`;
  const tooMany = (count: number): string | null =>
    count > mostRemovals(before.live.size)
      ? `${count} of ${before.live.size} records are missing, more than the guard allows, and [${gone.join(' ')}] went`
      : null;
  const held = gone.filter((id) => before.named.has(id));
  switch (permission.kind) {
    case 'listing': {
      const { told, force } = permission;
      if (!told.complete || told.breaks || told.rows.size === 0)
        return wrong(gone, 'without a complete listing');
      const missing = [...before.live.keys()].filter((id) => !told.rows.has(id));
      return (
        wrong(
          gone.filter((id) => told.rows.has(id) || told.answers.has(id)),
          'though the source has them',
        ) ?? (force ? null : (wrong(held, 'though they wait for an answer') ?? tooMany(missing.length)))
      );
    }
    case 'changes': {
      const told = new Set(permission.told.gone.map(({ id }) => id));
      const isThere = (id: string): boolean => !told.has(id) || permission.told.answers.has(id);
      return (
        wrong(gone.filter(isThere), 'though nothing says that they are deleted') ??
        wrong(held, 'though they wait for an answer') ??
        tooMany(gone.length)
      );
    }
    case 'approval': {
      const named = new Set(permission.ids);
      return (
        wrong(
          gone.filter((id) => !named.has(id) || !before.named.has(id)),
          'without an approval that names them',
        ) ??
        wrong(
          gone.filter((id) => permission.answers.has(id)),
          'though the source has them',
        )
      );
    }
    case 'rollback':
      return wrong(
        gone.filter((id) => before.kept?.live.has(id) ?? true),
        'though the data from before had them',
      );
    case 'none':
      return wrong(gone, 'and nothing asked for it');
  }
}
