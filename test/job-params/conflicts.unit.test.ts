/** The keys QUEUE, QUEUE_BEHIND, SOURCE_NAME, PROMOTE_FROM and PROMOTE_WITHIN, and what they add to a planned job. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkJobParams, JobParams } from '../../src/job-params/load.ts';
import { areSameSteps, asPlanned } from '../../src/domain/promotion.ts';
import { planDeclared, planJob } from '../../src/job-params/plan-job.ts';
import { planApply, planPlan } from '../../src/job-params/plan-of-changes.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-conflicts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const of = { target: 'avo', action: 'sync', env: 'prd', command: null };
const inQas = paramsFile({ ...of, env: 'qas' });

async function read(more: string, others: readonly (readonly [string, string])[] = [inQas]) {
  const { files, faults } = await checkJobParams(writeParams(dir, [paramsFile({ ...of, more }), ...others]));
  const file = files.find(({ env }) => env === 'prd');
  return { file, faults: faults.map(({ key, fault }) => `${key}: ${fault}`), params: new JobParams(files) };
}
const DEFAULTS = { runner: 'process', image: 'syncrator' } as const;

test('a file without these keys refuses a second start, and has no source and no promotion', async () => {
  const { file, params } = await read('');
  expect(file?.conflicts).toEqual({ queue: null, sourceName: null, promotion: null });
  if (!file) throw new Error('no file');
  const planned = planDeclared({ params, defaults: DEFAULTS }, file);
  expect(planned).not.toHaveProperty('queue');
  expect(planned).not.toHaveProperty('sourceName');
  expect(planned).not.toHaveProperty('promotion');
});

test('all keys together reach the planned job, with the steps that must have run', async () => {
  const more =
    'QUEUE=one\nQUEUE_BEHIND=delta, delete\nSOURCE_NAME=mam\nPROMOTE_FROM=qas\nPROMOTE_WITHIN=36h\n';
  const { file, faults, params } = await read(more);
  expect(faults).toEqual([]);
  if (!file) throw new Error('no file');
  const planned = planDeclared({ params, defaults: DEFAULTS }, file);
  expect(planned).toMatchObject({
    queue: { behind: ['delta', 'delete'] },
    sourceName: 'mam',
    promotion: { from: 'qas', withinSeconds: 36 * 3600, steps: planned.steps },
  });
});

test.each(['rollback', 'take-over', 'forget-record'])(
  'a %s reads no source and needs no promotion',
  async (action) => {
    const { file, params } = await read('SOURCE_NAME=mam\nPROMOTE_FROM=qas\nQUEUE=one\n');
    if (!file) throw new Error('no file');
    const parameters = { ...file.parameters, action, action_name: action };
    const planned = planJob({ params, defaults: DEFAULTS }, { file, env: 'prd', target: 'avo', parameters });
    expect(planned).not.toHaveProperty('sourceName');
    expect(planned).not.toHaveProperty('promotion');
    expect(planned).not.toHaveProperty('queue');
  },
);

test('a plan and its apply need the promotion of the planned action; an apply reads no source', async () => {
  const { file, params } = await read('SOURCE_NAME=mam\nPROMOTE_FROM=qas\nQUEUE=one\n');
  if (!file) throw new Error('no file');
  const planning = { params, defaults: DEFAULTS };
  const { steps } = planDeclared(planning, file);
  const promotion = { from: 'qas', action: 'sync', steps };
  const plan = planPlan(planning, file);
  expect(plan).toMatchObject({ sourceName: 'mam', promotion });
  expect(plan).not.toHaveProperty('queue');
  const of = { uid: '00000000-0000-4000-8000-000000000001', digest: 'a'.repeat(64) };
  const apply = planApply(planning, file, of);
  expect(apply).toMatchObject({ promotion });
  expect(apply).not.toHaveProperty('sourceName');
  expect(apply).not.toHaveProperty('queue');
  expect(areSameSteps(asPlanned(apply.steps, 'sync'), steps)).toBe(true);
  expect(areSameSteps(asPlanned(plan.steps, 'sync'), steps), 'a plan has done nothing').toBe(false);
});

test('a story reads no source', async () => {
  const { file, params } = await read('SOURCE_NAME=mam\n');
  if (!file) throw new Error('no file');
  const parameters = { ...file.parameters, action: 'story', action_name: 'story', options: '--id a' };
  const planned = planJob({ params, defaults: DEFAULTS }, { file, env: 'prd', target: 'avo', parameters });
  expect(planned).not.toHaveProperty('sourceName');
});

test.each([
  ['QUEUE=two', "QUEUE: 'two' is not refuse or one"],
  ['QUEUE_BEHIND=delta', 'QUEUE_BEHIND: needs QUEUE=one to apply to'],
  ['QUEUE=refuse\nQUEUE_BEHIND=delta', 'QUEUE_BEHIND: needs QUEUE=one to apply to'],
  ['QUEUE=one\nQUEUE_BEHIND=', 'QUEUE_BEHIND: is empty'],
  ['QUEUE=one\nQUEUE_BEHIND=delta,,x', "QUEUE_BEHIND: '' is not an action; list them as delta,delete"],
  ['SOURCE_NAME=Mam', "SOURCE_NAME: 'Mam' is not a name of a-z, 0-9, - and _"],
  ['SOURCE_NAME=', "SOURCE_NAME: '' is not a name of a-z, 0-9, - and _"],
  ['RUNNER=external\nSOURCE_NAME=mam', 'SOURCE_NAME: is not for RUNNER=external'],
  ['PROMOTE_FROM=prd', "PROMOTE_FROM: 'prd' is the environment of this file itself"],
  ['PROMOTE_WITHIN=7d', 'PROMOTE_WITHIN: has no PROMOTE_FROM to apply to'],
  [
    'PROMOTE_FROM=qas\nPROMOTE_WITHIN=7',
    "PROMOTE_WITHIN: '7' must be a number of hours, days, weeks or years, such as 36h, 90d, 8w or 2y",
  ],
  [
    'PROMOTE_FROM=dev',
    "PROMOTE_FROM: env 'dev' declares no action 'sync' of target 'avo', so no start could ever be promoted",
  ],
])('%s is a fault of the file', async (more, fault) => {
  expect((await read(`${more}\n`)).faults).toEqual([fault]);
});
