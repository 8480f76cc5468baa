/** Turns the row and steps of a job into its JSON, credentials masked. */
import type { Config } from '../../config/config.ts';
import type { JobView, StepView } from '../../db/views/job-views.ts';
import type { Diagnosis } from '../../domain/outcome.ts';
import { maskedWithin } from '../../domain/mask.ts';
import { workflowId } from '../../domain/names.ts';
import { noProgressAfter, STEP_DEFAULTS } from '../../domain/plan.ts';
import { isStalled, noProgressSeconds } from '../../domain/stalled.ts';
import type { JobJson } from './job-schema.ts';
import { masked } from '../http/mask.ts';
import { factsOf } from '../live/report-facts.ts';
import { toSyncJob } from './sync-job-json.ts';

type Progress = NonNullable<JobJson['progress']>;

/** @param now by the clock of the database, as all times of the row */
export function toJob(view: JobView, config: Config, now: Date): JobJson {
  const steps = view.steps.map((step) => toStep(step, view.id));
  const newest = steps.at(-1);
  const syncJob = steps.findLast((step) => step.sync_job !== null)?.sync_job ?? null;
  const stalledBy = stalledByOf(view, newest, now);
  const progress = newest?.progress ? { ...newest.progress, ...totals(steps) } : null;
  return {
    id: view.id,
    uid: view.uid,
    target: view.target,
    env: view.env,
    job_type: view.action_name,
    action: view.action,
    status: view.status,
    status_reason: view.status_reason,
    status_detail: masked(view.status_detail ?? waitingFor(view)),
    phase: view.phase,
    description: masked(view.description),
    sync_id: syncJob?.id ?? null,
    sync_job: syncJob,
    steps,
    progress,
    ...maskedWithin(factsOf(view.steps)),
    rollback_before: view.rollback_before,
    plan_id: view.plan_id,
    diagnosis: toDiagnosis(view.diagnosis),
    stalled: stalledBy !== null,
    stalled_by: stalledBy,
    parameters: {
      action_name: view.action_name,
      action: view.action,
      is_tag: view.is_tag,
      options: masked(view.options),
      mam_main_query: masked(view.mam_main_query),
      ...maskedWithin(view.action_parameters),
    },
    runner: view.runner,
    trigger: view.trigger,
    requested_by: view.requested_by,
    resumes: view.resumes,
    cancel_requested_at: iso(view.cancel_requested_at),
    cancel_requested_by: view.cancel_requested_by,
    temporal_url: temporalUrl(view, config),
    created_at: view.created_at.toISOString(),
    updated_at: view.updated_at.toISOString(),
    started_at: iso(view.started_at),
    finished_at: iso(view.finished_at),
    log: `/jobs/${view.id}/logs`,
    version: view.version,
  };
}

function stalledByOf(
  view: JobView,
  newest: JobJson['steps'][number] | undefined,
  now: Date,
): JobJson['stalled_by'] {
  const isExternal = view.runner === 'external';
  const spec = view.steps_spec[newest?.step ?? 0];
  const heardAt = isExternal ? (view.observed_at ?? undefined) : lastHeard(newest);
  const silentAfter = spec?.stalledAfterSeconds ?? STEP_DEFAULTS.stalledAfterSeconds;
  if (isStalled({ status: view.status, heardAt, now, afterSeconds: silentAfter })) return 'silence';
  const same = noProgressSeconds({
    status: view.status,
    progressedAt: isExternal ? (view.progressed_at ?? undefined) : lastProgressed(view),
    now,
    afterSeconds: spec?.noProgressAfterSeconds ?? noProgressAfter(view.runner),
    waitingFor: waitingFor(view),
  });
  return same > 0 ? 'no_progress' : null;
}

function lastProgressed({ steps }: JobView): Date | undefined {
  const report = steps.at(-1)?.report;
  return report ? new Date(report.progressed_at ?? report.at) : undefined;
}

function lastHeard(step: JobJson['steps'][number] | undefined): Date | undefined {
  const at = step?.progress?.reported_at ?? step?.started_at;
  return at ? new Date(at) : undefined;
}

/** Sums the counts over the last attempt of each step; null if no step has the count. */
function totals(steps: JobJson['steps']): Pick<Progress, 'added' | 'updated' | 'deleted' | 'failed'> {
  const last = steps.filter((step, at) => steps[at + 1]?.step !== step.step);
  const sum = (of: 'added' | 'updated' | 'deleted' | 'failed') =>
    last.reduce<number | null>((total, step) => {
      const count = step.progress?.[of] ?? null;
      return count === null ? total : (total ?? 0) + count;
    }, null);
  return { added: sum('added'), updated: sum('updated'), deleted: sum('deleted'), failed: sum('failed') };
}

/** The reported wait of a running program. */
function waitingFor({ status, steps }: JobView): string | null {
  const newest = steps.at(-1);
  if (status !== 'running' || !newest || newest.ended_at !== null) return null;
  return newest.facts.waiting_for ?? null;
}

function toStep(step: StepView, jobId: number): JobJson['steps'][number] {
  return {
    step: step.step,
    attempt: step.attempt,
    action: step.action,
    name: step.name,
    created_at: new Date(step.created_at).toISOString(),
    started_at: iso(step.started_at),
    ended_at: iso(step.ended_at),
    outcome: step.outcome,
    diagnosis: toDiagnosis(step.diagnosis),
    progress: toProgress(step),
    sync_job: step.sync_job === null ? null : toSyncJob(step.sync_job),
    log: `/jobs/${jobId}/logs?step=${step.step}&attempt=${step.attempt}`,
    log_bytes: step.log_bytes,
    log_state: step.log_state,
  };
}

function toProgress({ report, started_at, attempt }: StepView): Progress | null {
  if (!report) return null;
  const { records_done: done, records_total: total } = report;
  const seconds = started_at === null ? 0 : (Date.parse(report.at) - Date.parse(started_at)) / 1000;
  return {
    phase: masked(report.phase),
    message: masked(report.message),
    records_done: done,
    records_total: total,
    added: report.added,
    updated: report.updated,
    deleted: report.deleted,
    failed: report.failed,
    percent: done === null || !total ? null : Math.min(100, Math.floor((done / total) * 1000) / 10),
    // A later attempt continues from a checkpoint, so its counts include earlier attempts.
    rate: done === null || attempt > 1 || seconds < 1 ? null : Math.round((done / seconds) * 10) / 10,
    reported_at: new Date(report.at).toISOString(),
  };
}

function toDiagnosis(diagnosis: Diagnosis | null): JobJson['diagnosis'] {
  return diagnosis && { ...diagnosis, summary: masked(diagnosis.summary), detail: masked(diagnosis.detail) };
}

function temporalUrl(view: JobView, config: Config): string | null {
  const { uiUrl, namespace } = config.temporal;
  if (uiUrl === undefined || view.runner === 'external') return null;
  const id = encodeURIComponent(workflowId(view));
  return `${uiUrl.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${id}`;
}

function iso(time: Date | string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
