/** From parameters to frozen steps. */
import { expect, test } from 'vitest';
import type { JobParameters } from '../../src/domain/job.ts';
import { planSteps, STEP_DEFAULTS } from '../../src/domain/plan.ts';

const parameters = (over: Partial<JobParameters>): JobParameters => ({
  action_name: 'sync',
  action: 'sync',
  is_tag: 'latest',
  options: '',
  mam_main_query: null,
  ...over,
});

function steps(over: Partial<JobParameters>, defaults: Partial<typeof STEP_DEFAULTS> = {}) {
  const plan = planSteps(parameters(over), { ...STEP_DEFAULTS, ...defaults });
  if ('error' in plan) throw new Error(plan.error);
  return plan.steps;
}

test.each(['sync', 'delta', 'delete', 'rollback', 'reindex'])('%s is one step', (action) => {
  expect(steps({ action, options: '--debug' })).toMatchObject([{ action, args: [action, '--debug'] }]);
});

test('a diff is a delta, then a delete', () => {
  expect(steps({ action: 'diff', options: '-n 5 --debug' })).toMatchObject([
    { action: 'delta', args: ['delta', '-n', '5', '--debug'] },
    { action: 'delete', args: ['delete', '-n', '5', '--debug'] },
  ]);
});

test('--force-delete of a diff reaches only the delete', () => {
  expect(steps({ action: 'diff', options: '--force-delete -c 2' }).map((step) => step.args)).toEqual([
    ['delta', '-c', '2'],
    ['delete', '--force-delete', '-c', '2'],
  ]);
  expect(steps({ action: 'delete', options: '--force-delete' })[0]?.args).toEqual([
    'delete',
    '--force-delete',
  ]);
});

test('a diff of another image or command is one step, its options untouched', () => {
  for (const defaults of [{ image: 'other:1' }, { command: ['other'] }])
    expect(steps({ action: 'diff', options: '--force-delete ;id $HOME' }, defaults)).toMatchObject([
      { action: 'diff', args: ['diff', '--force-delete', ';id', '$HOME'] },
    ]);
});

test('the image is our own with the tag, unless the file names another', () => {
  expect(steps({ is_tag: 'v1.2' })[0]?.image).toBe('syncrator:v1.2');
  const digest = `sha256:${'0'.repeat(64)}`;
  expect(steps({ is_tag: digest })[0]?.image).toBe(`syncrator@${digest}`);
  expect(steps({ is_tag: 'v1.2' }, { image: 'registry/other:3' })[0]?.image).toBe('registry/other:3');
});

test('only the delete of a diff is marked as part of a diff', () => {
  expect(steps({ action: 'diff' }).map((step) => step.environment['SYNCRATOR_PART_OF'])).toEqual([
    undefined,
    'diff',
  ]);
  expect(steps({ action: 'delete' })[0]?.environment).not.toHaveProperty('SYNCRATOR_PART_OF');
});

test('the environment has the guards, and the query if there is one', () => {
  expect(steps({}, { maxDeletePercent: 25, maxDeleteRecords: 0 })[0]?.environment).toEqual({
    SYNCRATOR_MAX_DELETE_PERCENT: '25',
    SYNCRATOR_MAX_DELETE_RECORDS: '0',
  });
  expect(steps({}, { maxUpdatePercent: 30 })[0]?.environment).toMatchObject({
    SYNCRATOR_MAX_UPDATE_PERCENT: '30',
  });
  expect(steps({ mam_main_query: 'a:"b" AND $c' })[0]?.environment).toEqual({
    SYNCRATOR_MAX_DELETE_PERCENT: '10',
    SYNCRATOR_MAX_DELETE_RECORDS: '5',
    MAM_MAIN_QUERY: 'a:"b" AND $c',
  });
  expect(steps({ mam_main_query: '' })[0]?.environment).toHaveProperty('MAM_MAIN_QUERY', '');
});

test('the limits come from the file', () => {
  const limits = {
    timeoutSeconds: 1,
    startTimeoutSeconds: 2,
    stalledAfterSeconds: 4,
    retries: 3,
    cpu: '1',
    memory: '2Gi',
  };
  for (const step of steps({ action: 'diff' }, limits)) expect(step).toMatchObject(limits);
});

test('refused options lead to no plan', () => {
  expect(planSteps(parameters({ options: '--nope' }), STEP_DEFAULTS)).toEqual({
    error: expect.stringContaining('--nope'),
  });
});
