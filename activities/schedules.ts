/** What a schedule's firing does: submit, and remember what became of it, both in one transaction. */
import { createHash } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { type FiringOutcome, findFiring, findNewerTwin, insertFiring } from '../src/db/firings.ts';
import type { Db, Tx } from '../src/db/schema.ts';
import { submitJobIn } from '../src/db/submit.ts';
import { countedAs } from '../src/counted-as.ts';
import { type JobDefaults, planJob } from '../src/declared-job.ts';
import type { JobParams } from '../src/job-params.ts';
import type { Temporal } from '../src/temporal/connect.ts';
import { poke } from '../src/temporal/poke.ts';
import { linesAreOf } from './job-lines.ts';

export type ScheduleDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly defaults: JobDefaults;
};

export function scheduleActivities({ db, temporal, params, defaults }: ScheduleDeps) {
  return {
    /** Exactly once per nominal time, however often it is called. Returns what became of the firing. */
    async fireSchedule(input: { schedule: string; nominalTime: string }): Promise<FiringOutcome> {
      const file = params.schedules.find((candidate) => candidate.schedule.id === input.schedule);
      if (!file)
        throw ApplicationFailure.nonRetryable(`no params file has the schedule ${input.schedule} any more`);
      const firing = { schedule: input.schedule, nominalTime: new Date(input.nominalTime) };
      const outcome = await db.transaction().execute((tx) => fire(tx, file, firing));
      // Its failure changes nothing: the reconciler pokes too.
      if (outcome === 'started') Context.current().log.info('job accepted', { schedule: input.schedule });
      if (outcome === 'started') await poke(temporal, file).catch(() => undefined);
      return outcome;
    },
  };

  async function fire(
    tx: Tx,
    file: JobParams['schedules'][number],
    firing: { schedule: string; nominalTime: Date },
  ): Promise<FiringOutcome> {
    const known = await findFiring(tx, firing);
    if (known) return known.outcome;
    const record = async (outcome: FiringOutcome, jobId: number | null, detail: string | null) => {
      await insertFiring(tx, {
        schedule: firing.schedule,
        nominal_time: firing.nominalTime,
        job_id: jobId,
        outcome,
        detail,
      });
      return outcome;
    };
    const twin = await findNewerTwin(tx, file, file.parameters, firing.nominalTime);
    if (twin !== undefined)
      return await record('superseded', twin, `job ${twin} with the same parameters was created since`);
    const planned = planJob(defaults, file, file.parameters, file);
    if ('error' in planned) throw ApplicationFailure.nonRetryable(`${file.file}: ${planned.error}`);
    const submitted = await submitJobIn(tx, {
      ...planned,
      uid: firingUid(firing),
      trigger: 'schedule',
      requestedBy: `schedule ${firing.schedule}`,
      counted: countedAs(params, file, file.parameters),
    });
    switch (submitted.kind) {
      case 'created':
        linesAreOf(submitted.job);
        return await record('started', submitted.job.id, null);
      case 'deduplicated':
        return await record('deduplicated', submitted.job.id, null);
      case 'busy':
        return await record(
          'skipped',
          submitted.holder.id,
          `job ${submitted.holder.id} (${submitted.holder.action_name}) was ${submitted.holder.status}`,
        );
      case 'key_reused':
        throw new Error('a firing has no Idempotency-Key');
    }
  }
}

/** The same firing is the same uid: a second line of defence behind the primary key of schedule_firings. */
function firingUid(firing: { schedule: string; nominalTime: Date }): string {
  const hex = createHash('sha256')
    .update(`${firing.schedule} ${firing.nominalTime.toISOString()}`)
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
