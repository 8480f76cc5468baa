/** `/rollback` and `/take-over`: actions of every target whose sync is declared; they run as its sync does. */
import { z } from '@hono/zod-openapi';
import { type Earlier, findEarlier } from '../../db/jobs/rollback.ts';
import type { Db } from '../../db/schema.ts';
import { ROLLBACK, ROLLBACK_PREVIEW, TAKE_OVER } from '../../domain/action.ts';
import type { Key } from '../../domain/job.ts';
import { checkMay } from '../auth/access.ts';
import type { ApiDeps } from '../context.ts';
import { MOST_INTEGER } from '../http/fields.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { noJob } from './jobs.ts';
import { bodyProblem, type Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { targetPath, UNKNOWN_TARGET } from './target-path.ts';
import { recordFlags, recordIds } from './record-ids.ts';
import { startAnswer, STARTED_ANSWERS, SUBMIT_REFUSALS } from './start-answer.ts';
import { findFile, planBesideSync } from './start-request.ts';
import { startRequested } from './submit-request.ts';

const rollbackBody = z
  .strictObject({
    before: z
      .int()
      .min(1)
      .max(MOST_INTEGER)
      .optional()
      .describe('Restore the target to its state before this job; by default to before the last sync.'),
    ids: recordIds
      .optional()
      .describe('Restore only these records. All other records, and the watermark, stay as they are.'),
    only: z.boolean().optional().describe('True: restore only the records that the job `before` changed.'),
    preview: z
      .boolean()
      .optional()
      .describe('True: change nothing; the job reports the effect as `rollback_preview`.'),
    expect: z
      .string()
      .regex(/^[0-9a-f]{16,64}$/, 'must be 16 to 64 of 0-9 and a-f')
      .optional()
      .describe('The `digest` of a preview: the job fails (preview_changed) if its effect would differ.'),
  })
  .refine(({ preview, expect }) => preview !== true || expect === undefined, {
    path: ['expect'],
    error: 'is only for the rollback after a preview',
  })
  .refine(({ only, ids }) => only !== true || ids === undefined, {
    path: ['only'],
    error: 'excludes ids',
  })
  .openapi('Rollback', {
    example: { before: 37, expect: '3f0c9a71b2d84e65' },
  });

const ELSEWHERE: Earlier = { uid: '', env: 'qas', target: 'cities', runner: 'process' };

const rollbackRoute = defineRoute({
  method: 'post',
  path: '/rollback/{target}/{env}',
  tag: 'start',
  summary: 'Roll back to before the last sync or an earlier job',
  description:
    'Runs in one transaction and can itself be rolled back. With `preview` nothing changes. ' +
    'For a SINK that keeps only one earlier generation (Solr, OpenSearch), `before` must be the last sync, and it is restored ' +
    'whole. There `ids` and `only` restore records that a job removed; updated ones come back with the generation alone.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: targetPath,
  headers: idempotencyHeaders,
  json: rollbackBody,
  bodyOptional: true,
  answers: STARTED_ANSWERS,
  errors: [...UNKNOWN_TARGET, noJob(37), notOfTarget(37, ELSEWHERE), ...SUBMIT_REFUSALS],
});

const takeOverRoute = defineRoute({
  method: 'post',
  path: '/take-over/{target}/{env}',
  tag: 'start',
  summary: 'Take over the sink of a target from another owner',
  description:
    'For a job that failed with `sink_owned` or `sink_replaced`: the sink was written by another installation, target or ' +
    'environment. Afterwards jobs of the former owner are refused, and earlier states cannot be restored.',
  access: 'admin',
  verb: 'take-over',
  touches: 'jobs',
  params: targetPath,
  headers: idempotencyHeaders,
  answers: STARTED_ANSWERS,
  errors: [...UNKNOWN_TARGET, ...SUBMIT_REFUSALS],
});

export function rollback(deps: ApiDeps) {
  const app = subApp();
  app.openapi(rollbackRoute, async (c) => {
    const { target, env } = c.req.valid('param');
    const body = c.req.valid('json');
    const file = findFile(deps.params, { env, name: target, action: 'sync' });
    // Check permission before the lookup of `before`, which would reveal another job.
    checkMay(c, { role: 'operator', of: { env: file.env, action_name: ROLLBACK, action: ROLLBACK } });
    const flags = [
      ...(body.before === undefined ? [] : ['--before', await uidOf(c.var.db, file, body.before)]),
      ...recordFlags(body.ids ?? []),
      ...(body.only === true ? ['--only'] : []),
      ...(body.preview === true ? ['--preview'] : []),
      ...(body.expect === undefined ? [] : ['--expect', body.expect]),
    ];
    const action_name = body.preview === true ? ROLLBACK_PREVIEW : ROLLBACK;
    const planned = planBesideSync(deps, file, { action_name, action: ROLLBACK }, flags);
    const submitted = await startRequested(c, deps, planned, { trigger: 'rollback', body });
    return startAnswer(c, submitted, planned);
  });
  app.openapi(takeOverRoute, async (c) => {
    const { target, env } = c.req.valid('param');
    const file = findFile(deps.params, { env, name: target, action: 'sync' });
    const planned = planBesideSync(deps, file, { action_name: TAKE_OVER, action: TAKE_OVER });
    return startAnswer(c, await startRequested(c, deps, planned), planned);
  });
  return app;
}

/**
 * Finds the uid of the job that `before` names: ids are reused after a restore of the database, uids never are.
 * @throws Problem 404 for an unknown job, 422 for one that has not changed this target
 */
async function uidOf(db: Db, { env, target }: Key, before: number): Promise<string> {
  const earlier = await findEarlier(db, before);
  if (!earlier) throw noJob(before);
  if (earlier.env !== env || earlier.target !== target) throw notOfTarget(before, earlier);
  if (earlier.runner === 'external')
    throw bodyProblem([
      {
        field: 'before',
        message: `job ${before} is run by an external executor, which keeps its own history`,
      },
    ]);
  return earlier.uid;
}

function notOfTarget(before: number, { env, target }: Earlier): Problem {
  return bodyProblem([
    { field: 'before', message: `job ${before} is of target '${target}' in env '${env}'` },
  ]);
}
