/** `/forget`: erases the earlier values of records, for those whom the law entitles to it. */
import { z } from '@hono/zod-openapi';
import { forgetContents } from '../../db/losses/forget.ts';
import { forgetInPlans } from '../../db/plans/forget.ts';
import { FORGET } from '../../domain/action.ts';
import type { ApiDeps } from '../context.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { targetPath, UNKNOWN_TARGET } from './target-path.ts';
import { recordFlags, recordIds } from './record-ids.ts';
import { startAnswer, STARTED_ANSWERS, SUBMIT_REFUSALS } from './start-answer.ts';
import { findFile, planBesideSync } from './start-request.ts';
import { startRequested } from './submit-request.ts';

const forgetRoute = defineRoute({
  method: 'post',
  path: '/forget/{target}/{env}',
  tag: 'start',
  summary: 'Erase the earlier values of records',
  description:
    'From the history that rollbacks use, from records set aside, and from the contents of losses and plans. Live records stay: ' +
    'remove them at the source first. For an admin; one with limited actions needs `forget` among them.',
  access: 'admin',
  verb: 'start',
  touches: 'jobs',
  params: targetPath,
  headers: idempotencyHeaders,
  json: z.strictObject({ ids: recordIds.describe('The ids of the records.') }).openapi('Forget', {
    example: { ids: ['k00042'] },
  }),
  answers: STARTED_ANSWERS,
  errors: [...UNKNOWN_TARGET, ...SUBMIT_REFUSALS],
});

export function forget(deps: ApiDeps) {
  const app = subApp();
  app.openapi(forgetRoute, async (c) => {
    const { target, env } = c.req.valid('param');
    const body = c.req.valid('json');
    const file = findFile(deps.params, { env, name: target, action: 'sync' });
    const action = { action_name: FORGET, action: FORGET };
    const planned = planBesideSync(deps, file, action, recordFlags(body.ids));
    const submitted = await startRequested(c, deps, planned, { body });
    const answer = startAnswer(c, submitted, planned);
    // After a refusal nothing is erased. While the job holds the key, no upload brings a content back.
    const of = { env: file.env, target: file.target, ids: body.ids };
    await forgetContents(c.var.db, of);
    await forgetInPlans(c.var.db, of);
    return answer;
  });
  return app;
}
