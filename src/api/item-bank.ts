/** `POST /sync`, `POST /sync/:item`: the item bank by its predecessor's paths, whose target ITEM_BANK names. */
import { z } from '@hono/zod-openapi';
import type { Config } from '../config.ts';
import type { JobParams, ParamsFile } from '../job-params.ts';
import type { ApiDeps } from './context.ts';
import { pathName } from './fields.ts';
import { idempotencyHeaders } from './idempotency.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import { startAnswer, startedSchema, SUBMIT_REFUSALS } from './start-answer.ts';
import { requestOfFile, requestOfItem } from './start-request.ts';
import { submitRequest } from './submit-request.ts';

/** What the bank must declare: all of it, and what has changed, which some items by name are too. */
const ACTIONS = ['sync', 'delta'] as const;

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
  summary: 'Bring every item of the bank to its latest revision',
  description: 'The sync of the target that ITEM_BANK names. While any job of it runs: 409, and which.',
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
  summary: 'Bring one item to its latest revision',
  description: 'Its delta, with `--item`. While any job of the bank runs: 409, and which.',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params: z.object({ item: pathName.openapi({ param: { name: 'item', in: 'path' }, example: '1811' }) }),
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
    const request = requestOfFile(deps, itemBankFile(deps, 'sync'));
    return startAnswer(c, await submitRequest(c, deps, request, { alone: true }), request);
  });
  app.openapi(oneRoute, async (c) => {
    const { item } = c.req.valid('param');
    if (!isItem(item)) throw noItem(item);
    const request = requestOfItem(deps, itemBankFile(deps, 'delta'), item);
    return startAnswer(c, await submitRequest(c, deps, request, { alone: true }), request);
  });
  return app;
}

/** As GitLab numbers projects. */
function isItem(text: string): boolean {
  return /^[1-9]\d{0,15}$/.test(text);
}

/** @throws Problem 503 where ITEM_BANK is not set */
export function itemBankFile(
  { config: { itemBank: bank }, params }: Deps,
  action: (typeof ACTIONS)[number],
): ParamsFile {
  if (!bank) throw noItemBank();
  const file = params.find({ ...bank, action });
  if (!file) throw new Error(`ITEM_BANK: no ${action} is declared, which the start should have refused`);
  return file;
}

/** Why the api must not start: ITEM_BANK names what job_params does not declare. */
export function itemBankFault({ config: { itemBank: bank }, params }: Deps): string | undefined {
  if (!bank) return undefined;
  const missing = ACTIONS.filter((action) => params.find({ ...bank, action }) === undefined);
  if (missing.length === 0) return undefined;
  const files = missing.map((action) => `${bank.env}/${bank.name}-${action}.public_params`);
  return `ITEM_BANK=${bank.name}/${bank.env} needs ${files.join(' and ')} in job_params`;
}

export function noItemBank(): Problem {
  return new Problem(
    503,
    'no_item_bank',
    'ITEM_BANK is not set here: it names the target, <target>/<env>, to be synchronised',
  );
}

function noItem(text: string): Problem {
  return new Problem(
    404,
    'unknown_item',
    `'${text.slice(0, 80)}' is no item, which is a number; use POST /sync/<target>/<env> for a target`,
  );
}
