/** `/losses/:id/approve`, `/losses/:id/keep`: a person's answers to a loss. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { type AnswerRefusal, keepLoss } from '../../db/losses/answers.ts';
import type { LossView } from '../../db/losses/losses.ts';
import { REMOVE } from '../../domain/action.ts';
import { KEEP_DAYS } from '../../domain/loss.ts';
import { APPROVAL } from '../../domain/options.ts';
import { requirementOfAnswer } from '../../domain/permission.ts';
import { approveAndStart } from '../../engine/approve-loss.ts';
import { checkMay } from '../auth/access.ts';
import { requestOrigin } from '../auth/request-origin.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { idParam, text } from '../http/fields.ts';
import { bodyProblem, type Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { SUBMIT_REFUSALS, submitRefusal } from '../jobs/start-answer.ts';
import { findFile, planBesideSync } from '../jobs/start-request.ts';
import { startDeps } from '../jobs/submit-request.ts';
import { digestField, EXAMPLE_LOSS, lossSchema } from './loss-schema.ts';
import { readView, shownLoss, syncFileOf } from './shown-loss.ts';
import {
  alreadyApproved,
  lossChanged,
  lossResolved,
  noLoss,
  nothingWaits,
  ownJob,
  removalActive,
} from './refusals.ts';

const MOST_REASON = 500;
const MOST_IDS = 10_000;
const KEEP_LIMIT = 2 * 1024 * 1024;

const reason = text(MOST_REASON)
  .refine((value) => value.trim() !== '', 'is empty: say why')
  .describe('Why; the audit keeps it.');

const approveBody = z
  .strictObject({
    digest: digestField.describe('The digest of the loss as you have seen it.'),
    reason,
  })
  .openapi('Approve', {
    example: { digest: EXAMPLE_LOSS.digest, reason: 'the archive was closed on Friday' },
  });

const keepBody = z
  .strictObject({
    digest: digestField.describe('The digest of the loss as you have seen it.'),
    reason,
    ids: z.array(text(1000, 1)).min(1).max(MOST_IDS).optional().describe('The records to keep.'),
    all: z.literal(true).optional().describe('Keep all records that wait, instead of `ids`.'),
    days: z
      .int()
      .min(KEEP_DAYS.least)
      .max(KEEP_DAYS.most)
      .optional()
      .describe(`Days for which they are not proposed again; ${KEEP_DAYS.usual} by default.`),
  })
  .refine(({ ids, all }) => (ids === undefined) !== (all === undefined), {
    path: ['ids'],
    error: 'give either ids or all: true',
  })
  .openapi('Keep', {
    example: { digest: EXAMPLE_LOSS.digest, reason: 'these are still for sale', ids: ['k00042'], days: 30 },
  });

const CHANGED = lossChanged(
  { id: 7, count: 1207, digest: '9d1c2f7f2f6c1a553f0c9a71b2d84e65' },
  { added: 4, gone: 1, by: 'job 41' },
);

const approveRoute = defineRoute({
  method: 'post',
  path: '/losses/{id}/approve',
  tag: 'losses',
  summary: 'Approve that the records of a loss are removed',
  description:
    'Needs the right `approve`. The last approval that is needed starts a job of action `remove`, which looks at the source ' +
    'again and removes exactly the approved records that are still missing.',
  access: 'operator',
  verb: 'approve-loss',
  touches: 'jobs',
  deadline: 'user',
  params: idParam,
  json: approveBody,
  answers: {
    202: {
      description:
        'The approval is stored. `removal_job_id` names the removal once enough people have approved.',
      schema: lossSchema,
      example: {
        ...EXAMPLE_LOSS,
        approvals: [
          { by: 'ada', reason: 'the archive was closed on Friday', at: '2026-11-22T09:00:00.000Z' },
        ],
        removal_job_id: 38,
      },
    },
  },
  errors: [
    noLoss(7),
    ownJob(7, 'ada'),
    alreadyApproved(7, 'ada', null),
    removalActive(7, 38),
    nothingWaits(7),
    CHANGED,
    lossResolved(7),
    ...SUBMIT_REFUSALS.filter(({ status }) => status === 409),
  ],
});

const keepRoute = defineRoute({
  method: 'post',
  path: '/losses/{id}/keep',
  tag: 'losses',
  summary: 'Keep records of a loss',
  description:
    'Needs the right `approve`. The records stay live and are not proposed for removal until the days are over. The digest ' +
    'of the loss changes.',
  access: 'operator',
  verb: 'keep-loss',
  touches: 'jobs',
  deadline: 'user',
  params: idParam,
  json: keepBody,
  bodyLimit: KEEP_LIMIT,
  answers: { 200: { description: 'The loss without these records.', schema: lossSchema } },
  errors: [noLoss(7), notWaiting('k00043'), removalActive(7, 38), CHANGED, lossResolved(7)],
});

export function answerRoutes(deps: ApiDeps) {
  const app = subApp();
  app.openapi(approveRoute, async (c) => {
    const { view, answer } = await answerOf(c, c.req.valid('param').id, c.req.valid('json'));
    const { env, target } = view;
    const file = syncFileOf(deps, view) ?? findFile(deps.params, { env, name: target, action: 'sync' });
    const approved = await approveAndStart(startDeps(c, deps), {
      ...answer,
      needed: file.approvals,
      removal: (approval) => ({
        ...planBesideSync(deps, file, { action_name: REMOVE, action: REMOVE }, [APPROVAL, approval]),
        uid: approval,
        trigger: 'api',
        requestedBy: answer.by.shown,
        origin: answer.origin,
        alone: true,
      }),
    });
    if (approved.kind !== 'approved') throw refusalOf(approved, { view, by: answer.by.shown });
    return c.json(shownLoss(deps, await readView(c, view.id)), 202);
  });
  app.openapi(keepRoute, async (c) => {
    const { ids, days = KEEP_DAYS.usual, ...given } = c.req.valid('json');
    const { view, answer } = await answerOf(c, c.req.valid('param').id, given);
    const kept = await keepLoss(c.var.db, { ...answer, ids, days });
    if (kept.kind === 'removal_active') throw removalActive(view.id, kept.jobId);
    if (kept.kind !== 'kept') throw refusalOf(kept, { view, by: answer.by.shown });
    return c.json(shownLoss(deps, await readView(c, view.id)));
  });
  return app;
}

/** @throws Problem 404 for an unknown loss, 403 without the right to answer it */
async function answerOf(c: Context<ApiEnv, string>, id: number, given: { digest: string; reason: string }) {
  const view = await readView(c, id);
  checkMay(c, requirementOfAnswer(view.env));
  const { digest, reason: why } = given;
  const { id: userId, shown } = c.var.user;
  const answer = { lossId: id, digest, reason: why, by: { id: userId, shown }, origin: requestOrigin(c) };
  return { view, answer };
}

function refusalOf(refusal: AnswerRefusal, { view, by }: { view: LossView; by: string }): Problem {
  const { id } = view;
  switch (refusal.kind) {
    case 'unknown':
      return noLoss(id);
    case 'resolved':
      return lossResolved(id);
    case 'changed':
      return lossChanged(refusal.loss, refusal.since);
    case 'removal_active':
      return refusal.isMine ? alreadyApproved(id, by, refusal.jobId) : removalActive(id, refusal.jobId);
    case 'own_job':
      return ownJob(id, by);
    case 'already_approved':
      return alreadyApproved(id, by, null);
    case 'nothing_waits':
      return nothingWaits(id);
    case 'not_in_set':
      return notWaiting(refusal.id);
    case 'busy':
      return submitRefusal(refusal.submitted);
  }
}

function notWaiting(id: string): Problem {
  return bodyProblem([{ field: 'ids', message: `'${id}' is not a record of this loss` }]);
}
