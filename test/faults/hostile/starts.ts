/** Starts with hostile parameters, and innocent ones to compare them with. */
import { runBody } from '../rig/api-client.ts';
import { ACTIONS, type Rig } from '../rig/rig.ts';
import type { Field, Sent } from './fields.ts';
import type { Started } from './manifests.ts';

const INNOCENT = { options: '-n 1', mam_main_query: 'q' };
type Given = { action_name?: string; is_tag?: string; options?: string; mam_main_query?: string };

/** One start by parameters; `started` is set if it was accepted as a new job. */
export async function startWith(
  rig: Rig,
  of: { target: string; given?: Given; key?: string; what?: string },
) {
  const { target, given = {}, key, what = 'innocent' } = of;
  const body = { ...runBody({ target, action: 'sync', ...INNOCENT }), ...given };
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const answer = await rig.api.call('POST', '/run', { at: 0, body, headers });
  if (answer.status !== 202) return { status: answer.status };
  const id = Number(answer.body['job_id']);
  const { action, options, is_tag: tag, mam_main_query: query } = body;
  const started: Started = { id, action, options, tag, query, what };
  return { status: answer.status, started };
}

/**
 * Starts one job of each action, by its file: every other job of that action must look like it. Waits until they
 * have ended.
 */
export async function startInnocents(rig: Rig, target: string): Promise<ReadonlyMap<string, number>> {
  const innocents = new Map<string, number>();
  for (const action of [...ACTIONS, 'rollback', 'take-over']) {
    const { status, body } = await rig.api.insist('POST', `/${action}/${target}/dev`);
    if (status !== 202) throw new Error(`${action} of ${target}: ${status} ${JSON.stringify(body)}`);
    const id = Number(body['job_id']);
    await rig.api.until(id, (job) => job.status === 'completed');
    innocents.set(action, id);
  }
  return innocents;
}

/**
 * The parameters that a request to a starting route asked for: those of its text, and for the rest those of its
 * answer.
 */
export function startedBy({ operation, where, name }: Field, text: string, answer: Sent): Started {
  const told = JSON.parse(answer.text) as Record<string, string> & { job_id: number };
  const put = (field: string, otherwise: string) => (where === 'body' && name === field ? text : otherwise);
  return {
    id: told.job_id,
    action: told['ACTION'] ?? '',
    options: put('options', told['OPTIONS']?.replace(/ ?--api_job_id \d+$/, '') ?? ''),
    tag: told['IS_TAG'] ?? '',
    query: put('mam_main_query', told['MAM_MAIN_QUERY'] ?? ''),
    what: `${operation.path} ${where} ${name} ${JSON.stringify(text)}`,
  };
}
