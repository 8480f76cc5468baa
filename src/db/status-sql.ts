/**
 * Lists of statuses for `status IN …`, made from the state machine. They are SQL literals, not parameters: Postgres
 * uses the partial index of active jobs (jobs_one_active) only if it can compare the list with the index's
 * predicate.
 */
import { type RawBuilder, sql } from 'kysely';
import {
  ACTIVE_STATUSES,
  CANCELLABLE_STATUSES,
  CLAIMED_STATUSES,
  EXECUTOR_STATUSES,
  FINAL_STATUSES,
  type JobStatus,
  LAUNCHING_STATUSES,
  UNCLAIMED_STATUSES,
  UNSUCCESSFUL_STATUSES,
} from '../domain/status.ts';

/** `('queued', 'waiting')` */
const listOf = (statuses: readonly JobStatus[]): RawBuilder<JobStatus> =>
  sql`(${sql.join(statuses.map((status) => sql.lit(status)))})`;

export const ACTIVE = listOf(ACTIVE_STATUSES);
export const FINAL = listOf(FINAL_STATUSES);
export const UNCLAIMED = listOf(UNCLAIMED_STATUSES);
export const CLAIMED = listOf(CLAIMED_STATUSES);
export const LAUNCHING = listOf(LAUNCHING_STATUSES);
export const BY_EXECUTOR = listOf(EXECUTOR_STATUSES);
export const CANCELLABLE = listOf(CANCELLABLE_STATUSES);
export const UNSUCCESSFUL = listOf(UNSUCCESSFUL_STATUSES);

/** A job that only looked: a preview of a rollback, and a story. Programs that are not ours may use these names without the options. */
export const ONLY_LOOKS = sql`(
  (action = 'rollback' AND '--preview' = ANY(string_to_array(options, ' ')))
  OR (action = 'story' AND '--id' = ANY(string_to_array(options, ' '))))`;
