/** A plan of changes: what a job would add, update, remove and hold, for people to look at before they apply it. Pure. */

/** In the order in which a plan lists them. */
export const PLAN_KINDS = ['added', 'updated', 'removed', 'held'] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

/** `stale`: a later job of the target has completed, so that the sink is no longer as it was. */
export const PLAN_STATES = ['ready', 'applied', 'stale', 'expired'] as const;
export type PlanState = (typeof PLAN_STATES)[number];

/** A plan can be applied for so long, and its records are shown for so long. */
export const PLAN_DAYS = 7;

/** Of each target only the newest plans show records, however often a schedule plans. */
export const SHOWN_PLANS = 10;

/** Most records that a program uploads of a plan; its counts tell of the rest. */
export const MOST_PLAN_RECORDS = 100_000;

/** Shortest prefix of a digest that identifies a plan. */
export const LEAST_DIGEST = 16;
