/**
 * Debounced starts: a hook or a cast only requests a job of a target. This loop of every worker starts one job for all
 * requests of a quiet period, and the remembered next starts of free targets (next-starts.ts).
 */
import { randomUUID } from 'node:crypto';
import type { Db } from '../db/schema.ts';
import type { Submission } from '../db/jobs/submission.ts';
import {
  deleteUndeclared,
  listDueStarts,
  settleJoined,
  submitDebounced,
  type DebouncedStart,
  type StartContext,
} from '../db/jobs/debounced-starts.ts';
import { describeNotPromoted } from '../domain/promotion.ts';
import { traceFields } from '../domain/trace.ts';
import type { JobParams, ParamsFile } from '../job-params/load.ts';
import { type Planning, planJob } from '../job-params/plan-job.ts';
import type { Log } from '../log.ts';
import type { Temporal } from '../temporal/connect.ts';
import { every } from './every.ts';
import { beginNextStarts } from './next-starts.ts';
import { announceJobs } from './start-job.ts';

export type DebounceDeps = Planning & {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly log: Log;
};

const EVERY_MS = 1_000;
/** OPTIONS hold 2,000 characters; with more items than this, a job for the whole target costs little more. */
const MOST_ITEMS = 100;

/** Runs until the signal aborts. Several workers at once are harmless: one of them takes each request. */
export async function debounceLoop(deps: DebounceDeps, signal: AbortSignal): Promise<void> {
  const { db, log } = deps;
  const pass = async () => {
    await beginNextStarts(deps);
    await settleJoined(db);
    for (const wanted of await listDueStarts(db)) await startOne(deps, wanted);
  };
  await every(EVERY_MS, signal, pass, (error) => {
    log.warn({ err: error }, 'debounced starts: the requests cannot be read; retrying with the next pass');
  });
}

/** A request that fails does not delay the others. */
async function startOne(deps: DebounceDeps, wanted: DebouncedStart): Promise<void> {
  const { db, temporal, params, log } = deps;
  try {
    const file = params.filesOf(wanted).find((f) => f.parameters.action_name === wanted.action);
    if (!file) {
      if (await deleteUndeclared(db, wanted))
        log.warn({ ...wanted }, 'debounced starts: job_params does not declare this action; request dropped');
      return;
    }
    const submitted = await submitDebounced(db, wanted, (of) => submissionOf(deps, file, of));
    if (submitted?.kind === 'not_promoted')
      log.warn({ ...wanted }, `debounced starts: request dropped: ${describeNotPromoted(submitted.missing)}`);
    if (submitted?.kind !== 'created') return;
    const { job } = submitted;
    const { traceparent } = job;
    await announceJobs({ temporal, log: log.child(traceFields(traceparent)) }, [{ job, traceparent }]);
  } catch (error) {
    log.warn(
      { err: error, ...wanted },
      'debounced starts: no job could be stored; retrying with the next pass',
    );
  }
}

function submissionOf(
  planning: Planning,
  file: ParamsFile,
  { requestedBy, traceparent, items }: StartContext,
): Submission {
  const { env, target } = file;
  const chosen = items !== null && items.length <= MOST_ITEMS ? items : [];
  const options = [file.parameters.options, ...chosen.map((item) => `--item ${item}`)].join(' ');
  const planned = planJob(planning, { file, env, target, parameters: { ...file.parameters, options } });
  const origin = traceparent === null ? undefined : { traceparent };
  return { ...planned, uid: randomUUID(), trigger: 'hook', requestedBy, origin };
}
