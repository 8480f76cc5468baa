/** Hooks and casts only say that a target is wanted; this loop in every worker makes one job of many of them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { countedAs } from '../counted-as.ts';
import { type JobDefaults, planJob } from '../declared-job.ts';
import type { Db } from '../db/schema.ts';
import type { Submission } from '../db/submit.ts';
import { forgetUndeclared, listWanted, submitWanted, type Wanted, type WantedFor } from '../db/wanted.ts';
import { traceFields } from '../domain/trace.ts';
import type { JobParams, ParamsFile } from '../job-params.ts';
import type { Log } from '../log.ts';
import type { Temporal } from './connect.ts';
import { poke } from './poke.ts';

export type WantedDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly defaults: JobDefaults;
  readonly log: Log;
};

const EVERY_MS = 1_000;
/** OPTIONS hold 2,000 characters; above so many items, looking at everything is not much more work. */
const MOST_ITEMS = 100;

/** Runs until the signal aborts. Several workers at once are harmless: each want is taken by one of them. */
export async function wantedLoop(deps: WantedDeps, signal: AbortSignal): Promise<void> {
  const { db, log } = deps;
  while (!signal.aborted) {
    try {
      for (const wanted of await listWanted(db)) await takeOne(deps, wanted);
    } catch (error) {
      log.warn({ err: error }, 'what is wanted cannot be read; the next pass tries again');
    }
    await wait(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One that fails does not keep the others waiting. */
async function takeOne({ db, temporal, params, defaults, log }: WantedDeps, wanted: Wanted): Promise<void> {
  try {
    const file = params.filesOf(wanted).find((f) => f.parameters.action_name === wanted.action);
    if (!file) {
      if (await forgetUndeclared(db, wanted))
        log.warn({ ...wanted }, 'what is wanted is not declared in job_params (any more); forgotten');
      return;
    }
    const submitted = await submitWanted(db, wanted, (of) => ({
      ...submissionOf(defaults, file, of),
      counted: countedAs(params, file, file.parameters),
    }));
    if (submitted?.kind === 'created')
      log.info(
        { job: submitted.job.id, ...traceFields(submitted.job.traceparent), ...wanted },
        'job accepted',
      );
    // Its failure changes nothing: the reconciler pokes too.
    if (submitted?.kind === 'created' && submitted.job.status === 'queued')
      await poke(temporal, submitted.job).catch(() => undefined);
  } catch (error) {
    log.warn({ err: error, ...wanted }, 'what is wanted cannot be submitted; the next pass tries again');
  }
}

function submissionOf(
  defaults: JobDefaults,
  file: ParamsFile,
  { requestedBy, traceparent, items }: WantedFor,
): Submission {
  const chosen = items !== null && items.length <= MOST_ITEMS ? items : [];
  const options = [file.parameters.options, ...chosen.map((item) => `--item ${item}`)].join(' ');
  const planned = planJob(defaults, file, { ...file.parameters, options }, file);
  if ('error' in planned) throw new Error(`${file.file}: ${planned.error}`);
  const origin = traceparent === null ? undefined : { traceparent };
  return { ...planned, uid: randomUUID(), trigger: 'hook', requestedBy, origin };
}
