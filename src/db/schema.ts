/** The tables as Kysely sees them; the migrations create them. */
import type { ColumnType, Generated, Kysely, Selectable, Transaction } from 'kysely';
import type { Plannable } from '../domain/action.ts';
import type { Grant } from '../domain/permission.ts';
import type {
  ActionParameters,
  JobRequest,
  Key,
  MetricLabels,
  RunnerKind,
  StepSpec,
  Trigger,
} from '../domain/job.ts';
import type { LossReason, LossStatus } from '../domain/loss.ts';
import type { Diagnosis } from '../domain/outcome.ts';
import type { ReportFacts } from '../domain/report.ts';
import type { JobStatus } from '../domain/status.ts';

/** jsonb goes in as text and comes out parsed. */
type Json<T> = ColumnType<T, string, string>;
type DefaultTime = ColumnType<Date, Date | undefined, Date>;

export type JobsTable = {
  id: Generated<number>;
  uid: string;
  env: string;
  target: string;
  action_name: string;
  action: string;
  is_tag: string;
  options: string;
  mam_main_query: string | null;
  runner: RunnerKind;
  steps_spec: Json<StepSpec[]>;
  spec_hash: string;
  trigger: Trigger;
  requested_by: string;
  /** W3C trace context of the call that asked for the job. */
  traceparent: string | null;
  resumes: number | null;
  /** Number of the resumed job's first steps that are left out. */
  skipped_steps: Generated<number>;
  status: JobStatus;
  status_reason: string | null;
  status_detail: string | null;
  /** The last status word of an external executor. */
  phase: string | null;
  /** Description of the job: given with the request, replaced by an external executor. */
  description: string | null;
  /** The checked parameters that the action got beside its target. */
  action_parameters: ColumnType<ActionParameters | null, string | null, string | null>;
  /** The source that it reads, as SOURCE_LIMIT knows it; null: no limit. */
  source_name: string | null;
  /** Its workflow was terminated: a takeover only cleans up. */
  abandoned: Generated<boolean>;
  force_delete: Generated<boolean>;
  cancel_requested_at: Date | null;
  cancel_requested_by: string | null;
  run_id: string | null;
  run_started_at: Date | null;
  claimed_at: Date | null;
  started_at: Date | null;
  observed_at: Date | null;
  /** RUNNER=external only: when its executor last reported something new. */
  progressed_at: Date | null;
  finished_at: Date | null;
  diagnosis: ColumnType<Diagnosis | null, string | null, string | null>;
  version: Generated<number>;
  /** The names that it counts under (src/job-params/metric-labels.ts); null = its own target and action. */
  counted_target: string | null;
  counted_action: string | null;
  created_at: DefaultTime;
  updated_at: DefaultTime;
};

export type JobRow = Selectable<JobsTable>;

export type StepsTable = {
  job_id: number;
  step: number;
  attempt: number;
  action: string;
  name: string;
  runner_uid: string | null;
  created_at: DefaultTime;
  launched_at: Date | null;
  started_at: Date | null;
  ended_at: Date | null;
  outcome: 'completed' | 'failed' | 'cancelled' | null;
  diagnosis: ColumnType<Diagnosis | null, string | null, string | null>;
  /**
   * The place where reading its log continues: bytes that the program printed, and the runner's own mark for the
   * place.
   */
  log_read: Generated<number>;
  log_mark: string | null;
  /** The same place in bytes of the stored text, which readers count in. */
  log_bytes: Generated<number>;
  log_state: Generated<LogState>;
  /** Its reports are thinned to what a chart shows. */
  is_thinned: Generated<boolean>;
  /** Facts that its program reported beside its progress; null if there are none. */
  facts: ColumnType<ReportFacts | null, string | null, string | null>;
};

/** `end_missing`: the rest of it is lost. `removed`: it was purged. */
export type LogState = 'growing' | 'complete' | 'end_missing' | 'removed';

export type ReportsTable = {
  job_id: number;
  step: number;
  attempt: number;
  seq: number;
  at: DefaultTime;
  phase: string;
  records_done: number | null;
  records_total: number | null;
  added: number | null;
  updated: number | null;
  deleted: number | null;
  failed: number | null;
  checkpoint: ColumnType<unknown, string | null, string | null>;
  message: string | null;
  /**
   * Since when its attempt reports the same values; null in rows of the previous version: then the row's own time
   * counts.
   */
  progressed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
};

/** A planned job as `next_starts` keeps it. */
export type FrozenRequest = Pick<
  JobRequest,
  'parameters' | 'runner' | 'steps' | 'actionParameters' | 'sourceName'
> & { readonly counted?: MetricLabels | undefined };

export type Listing = 'complete' | 'unproven';

/** Null: no limit. */
type GrantColumns = { [K in keyof Grant]: ColumnType<Grant[K], Grant[K], Grant[K]> };

export type Schema = {
  installation: { one: Generated<boolean>; uuid: Generated<string>; created_at: DefaultTime };
  jobs: JobsTable;
  steps: StepsTable;
  reports: ReportsTable;
  step_logs: {
    job_id: number;
    step: number;
    attempt: number;
    byte_offset: number;
    byte_length: number;
    text: string;
  };
  /** Log lines of external executors. */
  job_log: {
    job_id: number;
    byte_offset: number;
    byte_length: number;
    at: DefaultTime;
    message: string;
  };
  sync_jobs: {
    id: Generated<number>;
    job_id: number | null;
    step: number | null;
    attempt: number | null;
    start_time: DefaultTime;
    end_time: Date | null;
    data_source: string | null;
    type: string;
    total_records: Generated<number>;
    completed: boolean | null;
    options: string | null;
    version: string | null;
    target_datastore_url: string | null;
    /** Outside runs only: the id of the caller that recorded it. */
    recorded_by: string | null;
  };
  idempotency_keys: {
    principal: string;
    key: string;
    body_hash: string;
    /** Null for a batch, whose answer is stored instead. */
    job_id: number | null;
    answer: ColumnType<unknown, string | null, never>;
    deduplicated: boolean;
    created_at: DefaultTime;
  };
  targets: {
    env: string;
    target: string;
    last_success_job_id: number | null;
    last_success_at: Date | null;
    /**
     * Where its next delta starts reading, as the last completed job reported it; null: everything, or not
     * reported.
     */
    watermark: Date | null;
    /** Whether the source's last listing, as a completed job read it, was proven complete. */
    listing: Listing | null;
  };
  wanted: {
    env: string;
    target: string;
    action: string;
    requested_by: string;
    traceparent: string | null;
    /** False: some items only. */
    everything: boolean;
    first_at: DefaultTime;
    last_at: DefaultTime;
    /** An unclaimed job with the same parameters that does the work, unless it is cancelled before it begins. */
    joined_job: number | null;
    /** `last_at` at the time of joining: later wants are not part of that job. */
    joined_last_at: Date | null;
  };
  /** The one start of a key that is remembered until the key is free (QUEUE=one). */
  next_starts: {
    env: string;
    target: string;
    /** Becomes the uid of its job. */
    uid: string;
    request: Json<FrozenRequest>;
    trigger: Trigger;
    requested_by: string;
    traceparent: string | null;
    /** The job that held the key when it was remembered. */
    behind: number;
    at: DefaultTime;
  };
  wanted_items: { env: string; target: string; action: string; item: string };
  maintenance: { id: Generated<number>; paused: boolean; msg: string; set_by: string; at: DefaultTime };
  schedule_firings: {
    schedule: string;
    nominal_time: Date;
    job_id: number | null;
    outcome: 'started' | 'deduplicated' | 'skipped' | 'superseded' | 'queued';
    detail: string | null;
    at: DefaultTime;
  };
  schedule_pauses: { schedule: string; note: string };
  /** `text` is null if the previous version let it fire. */
  schedule_promises: { schedule: string; text: string | null; since: DefaultTime; refused: string | null };
  users: {
    /** Owner of Idempotency-Keys: a user added again under the same name gets a new one. */
    id: Generated<string>;
    username: string;
    password_hash: string;
    disabled: Generated<boolean>;
    /**
     * Logins from before either time are no longer valid; Postgres writes both itself. Null: the password is the
     * first.
     */
    password_changed_at: Generated<Date | null>;
    logins_ended_at: Generated<Date>;
    created_at: DefaultTime;
    updated_at: DefaultTime;
  } & GrantColumns;
  /** Service tokens, as hashes. */
  service_tokens: {
    /** Part of the token, and not secret. */
    id: string;
    name: string;
    /** SHA-256 of the whole token. */
    hash: Buffer;
    created_at: DefaultTime;
    created_by: string;
    /** Null if the token never expires. */
    expires_at: Date | null;
    last_used_at: Date | null;
    revoked_at: Date | null;
    /** Owner of Idempotency-Keys, for tokens from before tokens were known by their id. */
    principal: Generated<string | null>;
  } & GrantColumns;
  oidc_users: {
    sub: string;
    name: string | null;
    role: string | null;
    first_seen_at: DefaultTime;
    last_seen_at: DefaultTime;
  };
  audit: {
    id: Generated<number>;
    at: DefaultTime;
    principal: string;
    verb: string;
    object: string;
    detail: ColumnType<unknown, string | null, never>;
    /** The code of the refusal; null for an accepted call. */
    refused: string | null;
    reason: string | null;
    address: string | null;
    request_id: string | null;
    /** The caller's own name for the call. */
    client_request_id: string | null;
  };
  losses: LossesTable;
  loss_uploads: UploadsTable;
  loss_records: {
    upload_id: number;
    id: string;
    missing_since: Date;
    last_seen: Date | null;
    updated_at: Date | null;
    /** Null if it was too large to be sent. */
    record: ColumnType<unknown, string | null, never>;
  };
  /** What a job told of one record; for a week. */
  stories: {
    job_id: number;
    env: string;
    target: string;
    id: string;
    told_at: DefaultTime;
    story: Json<unknown>;
  };
  /** Completed jobs whose listing was proven complete: when the job ended, and when it began to read (null: unknown). */
  proven_listings: { env: string; target: string; at: Date; read_from: Date | null; job_id: number };
  loss_pins: { env: string; target: string; id: string; until: Date };
  loss_removals: {
    uid: string;
    loss_id: number;
    digest: string;
    count: number;
    /** Null only within the transaction that starts it. */
    job_id: number | null;
    at: DefaultTime;
  };
  loss_changes: {
    id: Generated<number>;
    loss_id: number;
    digest: string;
    added: number;
    gone: number;
    /** What led to it, in words: `job 41`. */
    what: string;
    at: DefaultTime;
  };
  loss_removal_ids: { removal: string; last_id: string; ids: string[] };
  loss_keeps: {
    id: Generated<number>;
    loss_id: number;
    by_name: string;
    reason: string;
    at: DefaultTime;
    until: Date;
  };
  plans: PlansTable;
  plan_uploads: UploadsTable;
  plan_records: {
    upload_id: number;
    /** The place of the kind among PLAN_KINDS. */
    kind: number;
    id: string;
    /** Null where there is none, or where it was too large to be sent. */
    before: ColumnType<unknown, string | null, never>;
    after: ColumnType<unknown, string | null, never>;
  };
  loss_approvals: {
    uid: string;
    loss_id: number;
    digest: string;
    /** The id of the user, and the name in records. */
    by_id: string;
    by_name: string;
    reason: string;
    at: DefaultTime;
    /** The removal that it led to, together with others; null before. */
    removal: string | null;
  };
};

/** Uploads of one kind, which `page-uploads.ts` alone writes. */
export type UploadsTable = {
  id: Generated<number>;
  job_id: number;
  step: number;
  attempt: number;
  next_page: Generated<number>;
  /** Records of all its pages so far. */
  stored: Generated<number>;
  /** The place of the last record of the newest page: the next one is greater. */
  last_id: string | null;
  /** Recognises a repeated page. */
  page_hash: string | null;
  complete: Generated<boolean>;
  /** Its attempt began again: it is deleted. */
  abandoned: Generated<boolean>;
  at: DefaultTime;
};

/** A plan of changes; its job has made it. */
export type PlansTable = Key & {
  job_id: number;
  /** The planned action, by its name in the params file and by what it does. */
  action_name: string;
  action: Plannable;
  /** Its records; null once they are no longer shown. */
  upload_id: number | null;
  /** Identifies everything that applying it would do. */
  digest: string;
  live: number;
  listed: number;
  added: number;
  updated: number;
  removed: number;
  held: number;
  kept: number;
  watermark: Date | null;
  /** Records that were uploaded, by the place of their kind among PLAN_KINDS. */
  shown: number[];
  born_at: DefaultTime;
};

/** The waiting set of a target in an env: at most one of a key waits. */
export type LossesTable = Key & {
  id: Generated<number>;
  status: LossStatus;
  reason: LossReason;
  /** The job that told the set last, and who asked for it. */
  job_id: number;
  started_by: string;
  /** Everybody who started a job whose listing told this set while it waited. */
  caused_by: string[];
  /** Its records; null once it is resolved. */
  upload_id: number | null;
  /** Records that wait, without the pinned ones, and the digest of their ids. */
  count: number;
  live: number;
  pinned: number;
  digest: string;
  born_at: Date;
  changed_at: Date;
  resolved_at: Date | null;
  /** When its waiting was last told to the receivers of notifications. */
  noticed_at: Date | null;
};

export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;
