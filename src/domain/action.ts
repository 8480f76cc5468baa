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

/** The actions that can be planned. A diff has two parts: each is planned by itself. */
export const PLANNABLE = ['sync', 'delta', 'delete'] as const;
export type Plannable = (typeof PLANNABLE)[number];

export function isPlannable(action: string): action is Plannable {
  return PLANNABLE.some((one) => one === action);
}

/**
 * The ACTION_NAME of a job that plans, or applies the plan of, the action that a params file calls `name`. No file can
 * declare it: the name of an action in a file's name has no dash.
 */
export function planName(of: typeof PLAN | typeof APPLY, name: string): string {
  return `${of}-${name}`;
}

/** The name of the action that a job plans or applies; undefined for any other job. */
export function plannedName({
  action_name: name,
  action,
}: {
  action_name: string;
  action: string;
}): string | undefined {
  if (action !== PLAN && action !== APPLY) return undefined;
  return name.startsWith(`${action}-`) ? name.slice(action.length + 1) : undefined;
}
