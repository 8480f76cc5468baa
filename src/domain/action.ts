/** The actions that the product itself knows; job_params may declare further ones. */

/** Actions that a params file declares and that have a path of their own: `POST /<action>/<target>/<env>`. */
export const DECLARED_ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;
export type DeclaredAction = (typeof DECLARED_ACTIONS)[number];

/** Goes back to before an earlier job of the target; declared by the target's sync. */
export const ROLLBACK = 'rollback';
/** Makes the sink of a target its own; declared by the target's sync. */
export const TAKE_OVER = 'take-over';

/** Actions that every declared target accepts. */
export const TARGET_ACTIONS = [...DECLARED_ACTIONS, ROLLBACK] as const;

/** The ACTION_NAME of a rollback that only shows what it would change. */
export const ROLLBACK_PREVIEW = 'rollback-preview';

/** True for an action without a params file of its own: the target's sync declares it. */
export function isBesideSync(action: string): boolean {
  return action === ROLLBACK || action === TAKE_OVER;
}
