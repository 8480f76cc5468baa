/** `/story`, `/jobs/:id/story` and `/targets/:name/:env/records/:id`: what the history of a sink knows of one record. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { readStory, readStoryJobs, storeStory } from '../../db/jobs/stories.ts';
import { answersOfRecord } from '../../db/losses/answers-of-record.ts';
import { STORY } from '../../domain/action.ts';
import type { Key } from '../../domain/job.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { idParam, pathName, text } from '../http/fields.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { recordFlags, recordIds } from '../jobs/record-ids.ts';
import { startAnswer, STARTED_ANSWERS, SUBMIT_REFUSALS } from '../jobs/start-answer.ts';
import { findFile, planBesideSync } from '../jobs/start-request.ts';
import { startRequested } from '../jobs/submit-request.ts';
import { targetPath, UNKNOWN_TARGET } from '../jobs/target-path.ts';
import { ATTEMPT_REFUSALS, refusedAttempt, tokensAttempt } from '../live/attempt-token.ts';
import { isFit } from '../live/fit-record.ts';
import { type KeptStory, removalsIn, storySchema, toldStory, toStory, uidsIn } from './story-schema.ts';

const BODY_LIMIT = 2 * 1024 * 1024;
/** The body, the list, its entry and the value lie around a record. */
const DEPTH_OF_RECORD = 4;

const startRoute = defineRoute({
  method: 'post',
  path: '/story/{target}/{env}',
  tag: 'start',
  summary: 'Start a job that tells the story of one record',
  description:
    "Starts a short job that reads the sink's history and changes nothing: which job added, changed, removed, held or " +
    'restored the record, with the values before and after. For an operator, because it shows contents of records; one ' +
    'with limited actions needs `story` among them. SINK=postgres only.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: targetPath,
  headers: idempotencyHeaders,
  json: z
    .strictObject({
      id: recordIds.element
        .refine(
          (id) => recordIds.safeParse([id]).success,
          'is too long: percent-encoded it exceeds 1,500 characters',
        )
        .describe('The id of the record.'),
    })
    .openapi('AskedStory', { example: { id: 'k00042' } }),
  answers: STARTED_ANSWERS,
  errors: [...UNKNOWN_TARGET, ...SUBMIT_REFUSALS],
});

const tellRoute = defineRoute({
  method: 'post',
  path: '/jobs/{id}/story',
  tag: 'targets',
  summary: 'Upload the story of a record',
  description:
    'For the program of a job of action `story`, with its SYNCRATOR_REPORT_TOKEN. Repeating it is harmless.',
  access: 'report',
  params: idParam,
  json: toldStory,
  bodyLimit: BODY_LIMIT,
  mendBody: withoutUnfitRecords,
  answers: {
    200: {
      description: 'The story was stored.',
      schema: z
        .object({ told: z.literal(true).describe('Always true.') })
        .openapi('StoryVerdict', { example: { told: true } }),
    },
  },
  errors: [...ATTEMPT_REFUSALS, asksForNone(7)],
});

const CONTENTS =
  'With contents of records, so it always needs a token, also with PUBLIC_READS=true. Kept for 7 days. The answers of ' +
  'people to losses that had the record stand among its entries; they are read anew each time.';

const ofJobRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/story',
  tag: 'targets',
  summary: 'Show the story that a job told',
  description: CONTENTS,
  access: 'viewer',
  params: idParam,
  answers: { 200: { description: 'The story.', schema: storySchema } },
  errors: [noStoryOfJob(7)],
});

const ofRecordRoute = defineRoute({
  method: 'get',
  path: '/targets/{name}/{env}/records/{id}',
  tag: 'targets',
  summary: 'Show the story of a record, as it was last told',
  description: `POST /story/{target}/{env} tells it anew. ${CONTENTS}`,
  access: 'viewer',
  params: z.object({
    name: pathName.openapi({
      param: { name: 'name', in: 'path' },
      description: 'The name of the target.',
      example: 'avo',
    }),
    env: pathName.openapi({
      param: { name: 'env', in: 'path' },
      description: 'The environment.',
      example: 'qas',
    }),
    id: text(1000, 1).openapi({
      param: { name: 'id', in: 'path' },
      description:
        'The id of the record, percent-encoded. For the ids `.` and `..` use GET /jobs/{id}/story.',
      example: 'k00042',
    }),
  }),
  answers: { 200: { description: 'The story.', schema: storySchema } },
  errors: [noStory('avo', 'qas')],
});

export function stories(deps: ApiDeps) {
  const app = subApp();
  app.openapi(startRoute, async (c) => {
    const { target, env } = c.req.valid('param');
    const body = c.req.valid('json');
    const file = findFile(deps.params, { env, name: target, action: 'sync' });
    const planned = planBesideSync(deps, file, { action_name: STORY, action: STORY }, recordFlags([body.id]));
    return startAnswer(c, await startRequested(c, deps, planned, { body }), planned);
  });
  app.openapi(tellRoute, async (c) => {
    const of = await tokensAttempt(c, deps.config, c.req.valid('param').id);
    const { id: jobId, step, attempt } = of;
    const { kind } = await storeStory(c.var.db, { jobId, step, attempt }, c.req.valid('json'));
    if (kind === 'told') return c.json({ told: true as const });
    throw kind === 'no_story' ? asksForNone(jobId) : refusedAttempt[kind](of);
  });
  app.openapi(ofJobRoute, async (c) => {
    const jobId = c.req.valid('param').id;
    return c.json(await shownStory(c, { jobId }, noStoryOfJob(jobId)));
  });
  app.openapi(ofRecordRoute, async (c) => {
    const { name, env, id } = c.req.valid('param');
    const target = deps.params.find({ env, name, action: 'sync' })?.target ?? name;
    return c.json(await shownStory(c, { env, target, id }, noStory(name, env)));
  });
  return app;
}

async function shownStory(
  c: Context<ApiEnv, string>,
  of: { jobId: number } | (Key & { id: string }),
  missing: Problem,
) {
  const stored = await readStory<KeptStory>(c.var.db, of);
  if (!stored) throw missing;
  const { env, target, story } = stored;
  const jobs = await readStoryJobs(c.var.db, { env, target, uids: uidsIn(story) });
  const removals = removalsIn(story, jobs);
  return toStory(stored, jobs, await answersOfRecord(c.var.db, { env, target, id: stored.id, removals }));
}

/** Leaves out the contents that no body may have, such as a field `__proto__`. */
function withoutUnfitRecords(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { live, entries, ...rest } = body as { live?: unknown; entries?: unknown };
  return {
    ...rest,
    ...(live === undefined ? {} : { live: fitValue(live) }),
    ...(Array.isArray(entries) ? { entries: entries.map(fitEntry) } : { entries }),
  };
}

function fitEntry(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const { before, after, changed, ...rest } = entry as Record<string, unknown>;
  const names = Array.isArray(changed) ? changed.filter((name) => isFit(name, 0)) : changed;
  return { ...rest, before: fitValue(before), after: fitValue(after), changed: names };
}

function fitValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('record' in value)) return value;
  return isFit(value.record, DEPTH_OF_RECORD) ? value : { ...value, record: null };
}

function asksForNone(id: number): Problem {
  return new Problem(
    404,
    'no_story',
    `job ${id} is asked for no story; POST /story/{target}/{env} starts one that is`,
  );
}

function noStoryOfJob(id: number): Problem {
  return new Problem(
    404,
    'no_story',
    `job ${id} has told no story that is kept: it is no story, has not told it yet, or told it over 7 days ago, or the ` +
      'story was told anew or forgotten; POST /story/{target}/{env} tells it again',
  );
}

function noStory(target: string, env: string): Problem {
  const [name, where] = [target.slice(0, 80), env.slice(0, 80)];
  return new Problem(
    404,
    'no_story',
    `no story of this record of '${name}' in env '${where}' is kept; POST /story/${name}/${where} with its id tells it`,
  );
}
