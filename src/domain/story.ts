/** What happens to a record: as a sink's history knows it, and as people have answered about it. */

/**
 * `restored`: a rollback brought the record, or an earlier value of it, back. `held`: its removal has waited since.
 * `kept`: it stayed although a listing lacked it.
 */
export const STORY_KINDS = ['added', 'updated', 'removed', 'restored', 'held', 'kept'] as const;
export type StoryKind = (typeof STORY_KINDS)[number];

/** Answers to a loss that had the record. `approved`: its removal was. `pinned`: it is kept until a day. */
export const STORY_ANSWERS = ['approved', 'pinned'] as const;
