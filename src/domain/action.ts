/** The actions that Syncrator itself knows; job_params may declare further ones. */

/** Actions of params files that have their own path: `POST /<action>/<target>/<env>`. */
export const DECLARED_ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;
export type DeclaredAction = (typeof DECLARED_ACTIONS)[number];

/** Goes back to before an earlier job of the target; available if the target has a sync. */
export const ROLLBACK = 'rollback';
/** Makes this installation the owner of a target's sink; available if the target has a sync. */
export const TAKE_OVER = 'take-over';
/**
 * Removes the records of a loss that people have approved. The last approval alone starts it, with its uuid among the
 * options; a program that is not ours may have an action of this name that means something else.
 */
export const REMOVE = 'remove';

/** Erases the earlier values of records from the history of a target; available if the target has a sync. */
export const FORGET = 'forget-record';

/**
 * Reads what the sink's history knows of one record; available if the target has a sync. A program that is not ours may
 * have an action of this name that means something else.
 */
export const STORY = 'story';
/** Does everything of a sync, a delta or a delete up to the change, and keeps what it would do for an apply. */
export const PLAN = 'plan';
/** Does exactly what a kept plan says; the plan's digest is among its options. */
export const APPLY = 'apply';

/** Actions that every declared target accepts. */
export const TARGET_ACTIONS = [...DECLARED_ACTIONS, ROLLBACK] as const;

/** The ACTION_NAME of a rollback that only shows what it would change. */
export const ROLLBACK_PREVIEW = 'rollback-preview';

const BESIDE_SYNC: ReadonlySet<string> = new Set([ROLLBACK, TAKE_OVER, REMOVE, FORGET, STORY]);

/** True for an action without its own params file: the target's sync declares it. */
export function isBesideSync(action: string): boolean {
  return BESIDE_SYNC.has(action);
}
