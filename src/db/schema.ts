/** The tables as kysely sees them; the migrations are what makes them. */
import type { ColumnType, Generated, Kysely, Selectable, Transaction } from 'kysely';
import type { Grant } from '../domain/permission.ts';
import type { ActionParameters, RunnerKind, StepSpec, Trigger } from '../domain/job.ts';
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
  /** W3C, of the call that asked for it. */
  traceparent: string | null;
  resumes: number | null;
  /** Of the job it resumes: the first steps, which are not done again. */
  skipped_steps: Generated<number>;
  status: JobStatus;
  status_reason: string | null;
  status_detail: string | null;
  /** The last status word of an external executor. */
  phase: string | null;
  /** What it is about, in words: given with the request, replaced by an external executor. */
  description: string | null;
  /** What the action was given beside its target, as it was checked. */
  action_parameters: ColumnType<ActionParameters | null, string | null, string | null>;
  /** Its workflow was terminated: the takeover only cleans up. */
  abandoned: Generated<boolean>;
  force_delete: Generated<boolean>;
  cancel_requested_at: Date | null;
  cancel_requested_by: string | null;
  run_id: string | null;
  run_started_at: Date | null;
  claimed_at: Date | null;
  started_at: Date | null;
  observed_at: Date | null;
  /** Of RUNNER=external: when its executor last said something new. */
  progressed_at: Date | null;
  finished_at: Date | null;
  diagnosis: ColumnType<Diagnosis | null, string | null, string | null>;
  version: Generated<number>;
  /** What it is counted under (src/job-params/metric-labels.ts); null = its own target and action. */
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
  /** Where reading its log goes on: bytes that the program printed, and the runner's own word for the place. */
  log_read: Generated<number>;
  log_mark: string | null;
  /** The same place in the bytes of its text, which is what readers go by. */
  log_bytes: Generated<number>;
  log_state: Generated<LogState>;
  /** Its reports are no more than a chart shows. */
  is_thinned: Generated<boolean>;
  /** What its program told beyond its progress; null where none did. */
  facts: ColumnType<ReportFacts | null, string | null, string | null>;
};

/** `end_missing`: more cannot be had of it. `removed`: it was purged. */
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
  /** Since when its attempt reports the same; null where the version before wrote it: then from the row's own time. */
  progressed_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
};

export type Listing = 'complete' | 'unproven';

/** Null in a list is no limit. */
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
  /** What external executors said, line by line. */
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
    /** Of an outside run: the id of who told of it. */
    recorded_by: string | null;
  };
  idempotency_keys: {
    principal: string;
    key: string;
    body_hash: string;
    /** Null for a batch, which has an answer instead. */
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
    /** From when its next delta reads, as the last completed job told it; null: everything, or not told. */
    watermark: Date | null;
    /** Whether the last listing of it that a completed job read was seen to be complete. */
    listing: Listing | null;
  };
  wanted: {
    env: string;
    target: string;
    action: string;
    requested_by: string;
    traceparent: string | null;
    /** Not some items alone. */
    everything: boolean;
    first_at: DefaultTime;
    last_at: DefaultTime;
    /** A job of the same parameters that will do it, if it is not cancelled before it begins. */
    joined_job: number | null;
    /** `last_at` as it was when it joined: what was wanted later has not. */
    joined_last_at: Date | null;
  };
  wanted_items: { env: string; target: string; action: string; item: string };
  maintenance: { id: Generated<number>; paused: boolean; msg: string; set_by: string; at: DefaultTime };
  schedule_firings: {
    schedule: string;
    nominal_time: Date;
    job_id: number | null;
    outcome: 'started' | 'deduplicated' | 'skipped' | 'superseded';
    detail: string | null;
    at: DefaultTime;
  };
  schedule_pauses: { schedule: string; note: string };
  /** `text` is null where a version before this one let it fire. */
  schedule_promises: { schedule: string; text: string | null; since: DefaultTime; refused: string | null };
  users: {
    /** Whose Idempotency-Keys: a user added again under a name is another one. */
    id: Generated<string>;
    username: string;
    password_hash: string;
    disabled: Generated<boolean>;
    /** Logins from before either are good no longer; Postgres writes them itself. Null: the password is the first. */
    password_changed_at: Generated<Date | null>;
    logins_ended_at: Generated<Date>;
    created_at: DefaultTime;
    updated_at: DefaultTime;
  } & GrantColumns;
  /** Of programs; never the tokens themselves. */
  service_tokens: {
    /** Stands in the token, and is no secret. */
    id: string;
    name: string;
    /** SHA-256 of the whole token. */
    hash: Buffer;
    created_at: DefaultTime;
    created_by: string;
    /** Null for one that never does. */
    expires_at: Date | null;
    last_used_at: Date | null;
    revoked_at: Date | null;
    /** Whose Idempotency-Keys, where it is older than the rule that a token is known by its id. */
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
    /** The code it was refused with; null for what was done. */
    refused: string | null;
    reason: string | null;
    address: string | null;
    request_id: string | null;
    /** What the caller called it. */
    client_request_id: string | null;
  };
};

export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;
