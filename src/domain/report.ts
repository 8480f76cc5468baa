/** What a running program tells us (design.md §5). A type only: the API's zod schema proves agreement with it. */

export type Report = {
  /** Grows by one per report of one attempt, from 1; an older one than already seen is ignored. */
  readonly seq: number;
  /** The program's own word for what it is doing: starting, reading, verifying, switching, done, failed … */
  readonly phase: string;
  readonly records_done?: number | undefined;
  /** How many it expects in all; null while unknown. */
  readonly records_total?: number | null | undefined;
  readonly added?: number | undefined;
  readonly updated?: number | undefined;
  readonly deleted?: number | undefined;
  readonly failed?: number | undefined;
  /**
   * Where a retry goes on, at most 56 KiB as JSON; opaque to us but for `failed`, a list of `{id, why}`: the items that
   * failed, which are shown, and which a resume does alone.
   */
  readonly checkpoint?: unknown;
  readonly data_source?: string | undefined;
  readonly options?: string | undefined;
  readonly version?: string | undefined;
  /** Credentials are masked before it is stored. */
  readonly target_datastore_url?: string | undefined;
  readonly message?: string | undefined;
};
