/** Starts a job again with the same parameters but without --force-delete, so that the delete guard applies again. */
import type { JobJson } from '../../client/client.ts';
import type { RunBody, Start } from '../../client/client.ts';
import { FORGET, PLAN, plannedName, ROLLBACK, ROLLBACK_PREVIEW, TAKE_OVER } from '../../domain/action.ts';
import { namedRecords, storyOf, withoutForce } from '../../domain/options.ts';
import { client } from '../app/session.ts';

/** @returns the id of the job to show */
export async function runAgain(job: JobJson): Promise<number> {
  const { target, env, job_type: type } = job;
  if (job.runner === 'external') return await createAgain(job);
  if (type === TAKE_OVER) return (await client.takeOver(target, env)).job_id;
  if (type === FORGET)
    return (await client.forget(target, env, namedRecords(job.parameters.options).ids ?? [])).job_id;
  const record = storyOf(job.parameters);
  if (record !== undefined) return (await client.story(target, env, record)).job_id;
  const planned =
    job.parameters.action === PLAN ? plannedName({ action_name: type, action: PLAN }) : undefined;
  if (planned !== undefined) return (await client.plan(planned, target, env)).job_id;
  if (type === ROLLBACK || type === ROLLBACK_PREVIEW) return await rollBackAgain(job);
  return jobOf(await client.run({ ...runOf(job), options: withoutForce(job.parameters.options) }));
}

export async function runWithoutGuard(job: JobJson): Promise<number> {
  const options = `${withoutForce(job.parameters.options)} --force-delete`.trim();
  return jobOf(await client.run({ ...runOf(job), options }));
}

/** The new job; of a start that is queued, the job that it waits for, whose page shows it. */
export function jobOf(start: Start): number {
  return start.result === 'queued' ? start.next_start.behind : start.job_id;
}

function runOf({ target, env, job_type, parameters }: JobJson): RunBody {
  const { action, is_tag, options, mam_main_query: query } = parameters;
  const run = { target, env, action_name: job_type, action, is_tag, options };
  return query === null ? run : { ...run, mam_main_query: query };
}

async function rollBackAgain(job: JobJson): Promise<number> {
  const { target, env, job_type: type, rollback_before: before, parameters } = job;
  // Without `before`, the server would go back to before the last sync: a different rollback.
  if (before === null && parameters.options.includes('--before'))
    throw new Error(
      `Cannot roll back again: the job that job ${job.id} went back to before has been deleted.`,
    );
  const to = {
    ...namedRecords(parameters.options),
    ...(before === null ? {} : { before }),
    ...(type === ROLLBACK_PREVIEW ? { preview: true } : {}),
  };
  return (await client.rollback(target, env, to)).job_id;
}

async function createAgain({ job_type: operation, target, env, parameters }: JobJson): Promise<number> {
  const { description, releaseStatus, bumpManifesto, bumpFromVersion, bumpToVersion } = parameters;
  const given = { description, releaseStatus, bumpManifesto, bumpFromVersion, bumpToVersion };
  const [answer] = await client.createJobs([{ ...given, operation, target, env }]);
  if (answer?.job_id === undefined) throw new Error(answer?.msg);
  return answer.job_id;
}
