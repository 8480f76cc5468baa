/** `POST /sync`, `POST /sync/:item`: starts jobs of the target that ITEM_BANK names, with the paths of its predecessor. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../../../config/config.ts';
import type { JobParams, ParamsFile } from '../../../job-params/load.ts';
import type { Submitted } from '../../../db/jobs/submit.ts';
import type { PlannedJob } from '../../../job-params/plan-job.ts';
import type { BankAction } from '../declared-targets.ts';
import type { ApiDeps, ApiEnv } from '../../context.ts';
import { pathName } from '../../http/fields.ts';
import { idempotencyHeaders } from '../../http/idempotency.ts';
import { Problem } from '../../http/problem.ts';
import { defineRoute, subApp } from '../../http/route.ts';
import { startAnswer, startedSchema, SUBMIT_REFUSALS } from '../../jobs/start-answer.ts';
import { planDeclaredJob, planItemJob } from '../../jobs/start-request.ts';
import { startRequested } from '../../jobs/submit-request.ts';

type Deps = { readonly config: Pick<Config, 'itemBank'>; readonly params: JobParams };

const SHOWN = {
  ACTION: 'sync',
  ACTION_NAME: 'sync',
  ENV: 'prd',
  IS_TAG: 'latest',
  OPTIONS: '-c 8 --api_job_id 7',
  TARGET: 'item_bank',
  job_id: 7,
  result: 'starting',
  deduplicated: false,
};
const REFUSALS = [noItemBank(), ...SUBMIT_REFUSALS];

const allRoute = defineRoute({
  method: 'post',
  path: '/sync',
  tag: 'item bank',
  summary: 'Start a sync of all items of the bank',
  description:
    'Starts the sync of the target that ITEM_BANK names. 409 with the active job while the target has one.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  headers: idempotencyHeaders,
  answers: { 202: { description: 'A new job.', schema: startedSchema, example: SHOWN } },
  errors: REFUSALS,
});

const oneRoute = defineRoute({
  method: 'post',
  path: '/sync/{item}',
  tag: 'item bank',
  summary: 'Start a sync of one item of the bank',
  description:
    'Starts the delta of the target with `--item`. 409 with the active job while the target has one.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: z.object({
    item: pathName.openapi({
      param: { name: 'item', in: 'path' },
      description: 'The id of the GitLab project.',
      example: '1811',
    }),
  }),
  headers: idempotencyHeaders,
  answers: {
    202: {
      description: 'A new job.',
      schema: startedSchema,
      example: {
        ...SHOWN,
        ACTION: 'delta',
        ACTION_NAME: 'delta',
        OPTIONS: '-c 8 --item 1811 --api_job_id 7',
      },
    },
  },
  errors: [noItem('avo'), ...REFUSALS],
});

export function itemBank(deps: ApiDeps) {
  const app = subApp();
  app.openapi(allRoute, async (c) => {
    const planned = planDeclaredJob(deps, itemBankFile(deps, 'sync'));
    return startAnswer(c, await startAlone(c, deps, planned), planned);
  });
  app.openapi(oneRoute, async (c) => {
    const { item } = c.req.valid('param');
    if (!isItem(item)) throw noItem(item);
    const planned = planItemJob(deps, itemBankFile(deps, 'delta'), item);
    return startAnswer(c, await startAlone(c, deps, planned), planned);
  });
  return app;
}

/** Starts a job, but refuses it if an active job has the same parameters. */
async function startAlone(
  c: Context<ApiEnv, string>,
  deps: ApiDeps,
  planned: PlannedJob,
): Promise<Exclude<Submitted, { kind: 'deduplicated' }>> {
  const submitted = await startRequested(c, deps, planned, { alone: true });
  if (submitted.kind === 'deduplicated')
    throw new Error(`job ${submitted.job.id} stands for one submitted alone`);
  return submitted;
}

/** Whether the text is a project number of GitLab. */
function isItem(text: string): boolean {
  return /^[1-9]\d{0,15}$/.test(text);
}

/** @throws Problem 503 where ITEM_BANK is not set */
export function itemBankFile({ config: { itemBank: bank }, params }: Deps, action: BankAction): ParamsFile {
  if (!bank) throw noItemBank();
  const file = params.find({ ...bank, action });
  if (!file)
    throw new Error(
      `ITEM_BANK: no ${action} is declared, although the api checks that whenever it reads params files`,
    );
  return file;
}

export function noItemBank(): Problem {
  return new Problem(
    503,
    'no_item_bank',
    'ITEM_BANK is not set on this server; set it to <target>/<env> of the item bank',
  );
}

function noItem(text: string): Problem {
  return new Problem(
    404,
    'unknown_item',
    `'${text.slice(0, 80)}' is not an item: expected the number of a GitLab project; use POST /sync/<target>/<env> for a target`,
  );
}
