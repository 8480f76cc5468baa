/** What happens to a record, as a sink's history knows it. */

/**
 * `restored`: a rollback brought the record, or an earlier value of it, back. `held`: its removal has waited since.
 * `kept`: it stayed although a listing lacked it.
 */
export const STORY_KINDS = ['added', 'updated', 'removed', 'restored', 'held', 'kept'] as const;
export type StoryKind = (typeof STORY_KINDS)[number];
