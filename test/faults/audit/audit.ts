/**
 * The final audit: compares what Kubernetes, Temporal and Postgres themselves say about every job of a program with
 * the invariants I1–I8 of the design. It trusts nothing that the product says of itself.
 */
import { FINAL_STATUSES, isFinal, type JobStatus } from '../../../src/domain/status.ts';
import type { Rig } from '../rig/rig.ts';
import { type Clock, openEtcd } from './etcd.ts';
import { JOBS, type Life, livesOf, PODS } from './lives.ts';
import { checkPauses } from './pauses.ts';
import { checkRuns, type Versions } from './runs.ts';
import { readStatuses, type StatusChange } from './status-log.ts';

export type Expectation = {
  /** The job's id from the api's answer. */
  readonly id: number;
  /** Its allowed ends: a status, or after a colon the diagnosis that it must have, as in `failed:exit_code`. */
  readonly may: readonly string[];
};

export type AuditResult = {
  readonly violations: string[];
  /**
   * Jobs that have not ended yet: the audit then judges only what must never happen, for them and for remaining
   * objects.
   */
  readonly unsettled: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly pods: number;
  readonly kubernetesJobs: number;
  /** For programs that measure more. */
  readonly podLives: readonly Life[];
  readonly jobLives: readonly Life[];
  readonly clock: Clock;
  readonly changes: readonly StatusChange[];
};

export type Audit = Disposable & {
  /** @param expected one entry per job that the api accepted */
  take(expected: readonly Expectation[]): Promise<AuditResult>;
};

type Row = {
  readonly id: number;
  readonly uid: string;
  readonly env: string;
  readonly target: string;
  readonly run_id: string | null;
  readonly status: JobStatus;
  readonly diagnosis: { readonly code: string } | null;
  readonly steps_spec: readonly unknown[];
};

/** Call it before the first job: it dates Kubernetes' writes from then on. */
export function openAudit(rig: Rig, versions: Versions = 'this'): Audit {
  const etcd = openEtcd(rig.cluster.etcdUrl);
  const time = etcd.keepTime(50);
  return {
    [Symbol.dispose]: () => time[Symbol.dispose](),
    async take(expected) {
      const rows: Row[] = await rig.db
        .selectFrom('jobs')
        .select(['id', 'uid', 'env', 'target', 'run_id', 'status', 'diagnosis', 'steps_spec'])
        .execute();
      const changes = await readStatuses(rig.db);
      const namespaced = [PODS, JOBS].map((prefix) => `${prefix}${rig.ground.namespace}/`);
      const { writes, clock } = await etcd.history(namespaced);
      const podLives = livesOf(writes, PODS);
      const jobLives = livesOf(writes, JOBS);
      const ended = rows.filter(({ status }) => isFinal(status));
      const unsettled = rows.length - ended.length;
      // While some jobs have not ended, objects and workflows of others may still be about to end.
      const isQuiet = unsettled === 0;
      const violations = [
        ...checkRecords(rows, changes, expected),
        ...checkExclusion(podLives),
        ...checkOnce(podLives, jobLives),
        ...checkNothingLivesOn(rows, changes, podLives, clock),
        ...(isQuiet ? checkLeftovers(podLives, jobLives) : []),
        ...checkSuccess(rows, jobLives),
        ...checkPauses(
          await rig.db.selectFrom('maintenance').select(['paused', 'at']).orderBy('id').execute(),
          changes,
        ),
        ...(await checkApi(rig, ended)),
        ...(await checkRuns(rig, ended, versions)).filter((what) => isQuiet || !what.endsWith(' RUNNING')),
      ];
      const statuses: Record<string, number> = {};
      for (const { status, diagnosis } of rows) {
        const name = diagnosis === null || status !== 'failed' ? status : `${status}:${diagnosis.code}`;
        statuses[name] = (statuses[name] ?? 0) + 1;
      }
      const counts = { pods: podLives.length, kubernetesJobs: jobLives.length };
      return {
        violations,
        unsettled,
        statuses,
        ...counts,
        podLives,
        jobLives,
        clock,
        changes,
      };
    },
  };
}

/**
 * I1, I2, I6: every accepted job exists; every ended job ended once, with an allowed outcome, and never changed
 * after that.
 */
function checkRecords(
  rows: readonly Row[],
  changes: readonly StatusChange[],
  expected: readonly Expectation[],
): string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const violations: string[] = [];
  for (const { id, may } of expected) {
    const row = byId.get(id);
    if (!row) {
      violations.push(`I2 job ${id} was accepted but is lost`);
      continue;
    }
    if (!isFinal(row.status)) continue;
    const ends = [row.status as string, `${row.status}:${row.diagnosis?.code ?? ''}`];
    if (!may.some((allowed) => ends.includes(allowed)))
      violations.push(`I1 job ${id} is ${ends[1]}, may be ${may.join(' or ')}`);
  }
  const known = new Set(expected.map(({ id }) => id));
  for (const { id } of rows)
    if (!known.has(id)) violations.push(`I2 job ${id} exists, but no answer named it`);
  const final = new Map<number, JobStatus>();
  for (const { jobId, status } of changes) {
    const before = final.get(jobId);
    if (before) violations.push(`I6 job ${jobId} went from ${before} to ${status}`);
    if (isFinal(status)) final.set(jobId, status);
  }
  for (const { id, status } of rows)
    if (isFinal(status) && final.get(id) !== status)
      violations.push(`I6 job ${id} is ${status}, ended as ${final.get(id)}`);
  return violations;
}

/** I3: at most one live pod per lock key, by the order of etcd's writes. */
function checkExclusion(pods: readonly Life[]): string[] {
  const violations: string[] = [];
  for (const [lockKey, lives] of Map.groupBy(pods, (life) => life.lockKey)) {
    const sorted = lives.toSorted((a, b) => a.from - b.from);
    let last: Life | undefined;
    for (const life of sorted) {
      if (last && life.from < last.to)
        violations.push(`I3 ${lockKey}: ${life.name} began while ${last.name} lived`);
      if (!last || life.to > last.to) last = life;
    }
  }
  return violations;
}

/** I4: one Kubernetes Job and at most one pod for each attempt of a step. */
function checkOnce(pods: readonly Life[], jobs: readonly Life[]): string[] {
  return [
    ...[...Map.groupBy(pods, (life) => life.stepName)].map(([name, all]) => ({ name, all, what: 'pods' })),
    ...[...Map.groupBy(jobs, (life) => life.stepName)].map(([name, all]) => ({ name, all, what: 'Jobs' })),
  ].flatMap(({ name, all, what }) =>
    all.length > 1 ? [`I4 ${name}: ${all.length} ${what} were created`] : [],
  );
}

/** I7: no pod of a job lives after its final status was written, whatever the status. */
function checkNothingLivesOn(
  rows: readonly Row[],
  changes: readonly StatusChange[],
  pods: readonly Life[],
  clock: Clock,
): string[] {
  const finalAt = new Map<number, number>();
  for (const { jobId, status, at } of changes)
    if ((FINAL_STATUSES as readonly string[]).includes(status)) finalAt.set(jobId, at.getTime());
  const byUid = new Map(rows.map((row) => [row.uid, row]));
  return pods.flatMap((pod) => {
    const row = byUid.get(pod.jobUid);
    if (!row) return [`I5 pod ${pod.name} belongs to no job`];
    const at = finalAt.get(row.id);
    if (at === undefined || at >= clock(pod.to).from) return [];
    const late = pod.to === Number.MAX_SAFE_INTEGER ? 'for ever' : `${clock(pod.to).from - at} ms`;
    return [`I7 pod ${pod.name} of job ${row.id} lived ${late} after the job was ${row.status}`];
  });
}

/** I5: no object of ours is left in the cluster. */
function checkLeftovers(pods: readonly Life[], jobs: readonly Life[]): string[] {
  const left = (what: string, lives: readonly Life[]) =>
    lives.flatMap(({ removed, name, lastState, deletionFrom, finalizers }) => {
      const deletion =
        deletionFrom === undefined ? 'nobody deleted it' : `deleted at revision ${deletionFrom}`;
      const held = finalizers.length === 0 ? '' : `, held by ${finalizers.join(' and ')}`;
      return removed ? [] : [`I5 ${what} ${name} is left: ${lastState || 'not ended'}, ${deletion}${held}`];
    });
  return [...left('pod', pods), ...left('Kubernetes Job', jobs)];
}

/** I8, of Kubernetes: a completed job has a completed Kubernetes Job for each of its steps. */
function checkSuccess(rows: readonly Row[], jobs: readonly Life[]): string[] {
  const byJob = Map.groupBy(jobs, (life) => life.jobUid);
  return rows.flatMap(({ id, uid, status, steps_spec: steps }) => {
    if (status !== 'completed') return [];
    const done = new Set(
      (byJob.get(uid) ?? []).filter((life) => life.lastState === 'Complete').map(({ step }) => step),
    );
    return done.size === steps.length
      ? []
      : [`I8 job ${id} is completed, ${done.size} of ${steps.length} steps are`];
  });
}

/** I8, of the api: it reports the status of the record. */
async function checkApi(rig: Rig, rows: readonly Row[]): Promise<string[]> {
  const told = new Map<number, unknown>();
  for (let page: string | undefined = '/jobs?limit=100'; page !== undefined; ) {
    const { body, headers } = await rig.api.insist('GET', page);
    for (const job of body as unknown as { id: number; status: string }[]) told.set(job.id, job.status);
    page = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  }
  return rows.flatMap(({ id, status }) =>
    told.get(id) === status
      ? []
      : [`I8 the api says ${String(told.get(id))} of job ${id}, the record ${status}`],
  );
}
