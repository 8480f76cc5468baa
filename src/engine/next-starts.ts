/** Turns the remembered next starts (QUEUE=one) of free keys into jobs. */
import { listDueNext } from '../db/jobs/next-starts.ts';
import { submitNext } from '../db/jobs/submit-next.ts';
import { traceFields } from '../domain/trace.ts';
import type { Db } from '../db/schema.ts';
import type { Log } from '../log.ts';
import type { Temporal } from '../temporal/connect.ts';
import { announceJobs } from './start-job.ts';

type Deps = { readonly db: Db; readonly temporal: Temporal; readonly log: Log };

/** Several workers at once are harmless: one of them takes each start. One that fails does not delay the others. */
export async function beginNextStarts({ db, temporal, log }: Deps): Promise<void> {
  for (const key of await listDueNext(db))
    try {
      const submitted = await submitNext(db, key);
      if (submitted?.kind !== 'created') continue;
      const { job } = submitted;
      const { traceparent } = job;
      await announceJobs({ temporal, log: log.child(traceFields(traceparent)) }, [{ job, traceparent }]);
    } catch (error) {
      log.warn({ err: error, ...key }, 'next starts: no job could be stored; retrying with the next pass');
    }
}
