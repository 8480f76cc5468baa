/** Reads the ids that people have approved for removal, page by page. */
import { z } from 'zod';
import { JobError } from '../job-error.ts';
import { type Api, ApiUnavailable, callJobRoute, type JobAnswer, REFUSALS } from './job-route.ts';

const IDS_PER_PAGE = 1_000;

const approvedPage = z.object({ ids: z.array(z.string().min(1)), next: z.string().min(1).nullable() });

/** @throws JobError if the ids cannot be read; then nothing must be removed */
export async function* approvedIds(api: Api): AsyncGenerator<readonly string[]> {
  for (let after: string | null = null; ; ) {
    const query = new URLSearchParams({
      ...(after === null ? {} : { after }),
      limit: String(IDS_PER_PAGE),
    });
    const { ids, next } = pageIn(await ask(api, `/approved-removals?${query.toString()}`));
    if (ids.length > 0) yield ids;
    if (next === null) return;
    if (next === after || ids.length === 0)
      throw new JobError(
        'failed',
        `nothing was changed: the api repeats a page of the approved ids; upgrade it`,
      );
    after = next;
  }
}

async function ask(api: Api, path: string): Promise<JobAnswer> {
  try {
    return await callJobRoute(api, { path });
  } catch (error) {
    if (!(error instanceof ApiUnavailable)) throw error;
    const fix = 'start the job again once the api can be reached';
    throw new JobError(
      'failed',
      `nothing was changed: the approved ids cannot be read: ${error.message}; ${fix}`,
      {
        cause: error,
      },
    );
  }
}

function pageIn({ status, text }: JobAnswer): z.infer<typeof approvedPage> {
  if (status === 404)
    throw new JobError(
      'refused',
      `nothing was changed: the api knows no approval for this job; approve a loss, which starts its removal: syncrator losses`,
    );
  if (REFUSALS.includes(status))
    throw new JobError(
      'refused',
      `nothing was changed: the api refused to tell the approved ids (answered ${status})`,
    );
  const page = status === 200 ? approvedPage.safeParse(parsed(text)) : null;
  if (page?.success === true) return page.data;
  throw new JobError(
    'failed',
    `nothing was changed: the api answered ${status} without the approved ids; check SYNCRATOR_REPORT_URL`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema takes no undefined, and the caller names the fault.
    return undefined;
  }
}

/** @param api null for a run by hand @throws JobError `notConfigured` */
export function apiOfRemoval(api: Api | null): Api {
  if (api !== null) return api;
  throw new JobError(
    'notConfigured',
    'SYNCRATOR_REPORT_URL is missing: remove reads the approved ids from the api. Approve a loss, which starts it: syncrator losses',
  );
}
