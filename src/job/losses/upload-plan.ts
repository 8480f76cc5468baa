/** Tells the api what a plan would do: its counts, and its changes page by page. Safe to repeat. */
import { JobError } from '../job-error.ts';
import type { PlannedChange } from '../sinks/plans.ts';
import type { Plans } from '../sinks/sink.ts';
import type { Api } from './job-route.ts';
import { uploadPages } from './upload-pages.ts';

/** @throws JobError: without the last page nobody sees the plan, and nobody can apply it */
export async function uploadPlan(plans: Plans, api: Api): Promise<void> {
  const { uid: _, ...summary } = plans.made();
  const unsent = await uploadPages(api, {
    path: '/plan',
    what: 'plans',
    read: () => textsOf(plans),
    facts: ({ last }) => (last ? `"summary":${JSON.stringify(summary)},` : ''),
  });
  if (unsent === null) return;
  throw new JobError(
    'failed',
    `the plan was not reported: ${unsent.why}; make it again. Nothing was changed`,
  );
}

async function* textsOf(plans: Plans): AsyncGenerator<readonly string[]> {
  for await (const changes of plans.shown()) yield changes.map(textOf);
}

/** The records' own JSON is not parsed: its numbers keep all their digits. */
function textOf({ id, kind, before, after }: PlannedChange): string {
  return `${JSON.stringify({ id, kind }).slice(0, -1)},"before":${before ?? 'null'},"after":${after ?? 'null'}}`;
}
