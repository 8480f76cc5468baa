/** The rules of conflicting starts: places of a source, the matrix of QUEUE=one, and what a promotion compares. */
import { expect, test } from 'vitest';
import type { StepSpec } from '../../src/domain/job.ts';
import { planSteps, STEP_DEFAULTS } from '../../src/domain/plan.ts';
import { areSameSteps, asPlanned, describeNotPromoted, needsPromotion } from '../../src/domain/promotion.ts';
import { mayQueueBehind, takesPlaceOf } from '../../src/domain/queue.ts';
import { parseSourceLimits, placesWords } from '../../src/domain/source-limit.ts';

test('SOURCE_LIMIT gives each source its own number of jobs', () => {
  expect([...parseSourceLimits('mam:2, erp:10')]).toEqual([
    ['mam', 2],
    ['erp', 10],
  ]);
  expect(parseSourceLimits('').size).toBe(0);
});

test.each([
  ['mam', "'mam' that is not <source>:<jobs>"],
  ['mam:0', "'mam:0' that is not"],
  ['mam:1001', '1 to 1000 jobs'],
  ['mam:-1', "'mam:-1' that is not"],
  ['Mam:1', "'Mam:1' that is not"],
  [':1', "':1' that is not"],
  ['mam:1,mam:2', "limits the source 'mam' twice"],
  ['é:1', "'é:1' that is not"],
])('SOURCE_LIMIT=%s is refused, and the message names the part', (text, why) => {
  expect(() => parseSourceLimits(text)).toThrow(why);
});

test('a source named like a property of every object has a limit of its own', () => {
  expect(parseSourceLimits('constructor:3').get('constructor')).toBe(3);
  expect(parseSourceLimits('mam:1').get('constructor')).toBeUndefined();
});

test('a waiting job names the holders of the places, and at most ten of them', () => {
  expect(placesWords({ source: 'mam', most: 2, holders: [4, 7], before: [9] })).toBe(
    "SOURCE_LIMIT lets 2 jobs of the source 'mam' run at a time; jobs 4, 7 run; job 9 comes first",
  );
  const many = Array.from({ length: 12 }, (_, at) => at + 1);
  expect(placesWords({ source: 'mam', most: 12, holders: many, before: [] })).toContain(
    '9, 10 and 2 more run',
  );
});

const named = (action: string, action_name = action) => ({ action, action_name });
const DEFAULT = { behind: null };

test.each([
  ['delta', 'sync', false],
  ['delta', 'diff', false],
  ['delete', 'diff', false],
  ['diff', 'sync', false],
  ['delta', 'delete', true],
  ['delta', 'delta', true],
  ['delete', 'delta', true],
  ['sync', 'delta', true],
  ['sync', 'diff', true],
  ['sync', 'sync', true],
  ['diff', 'delta', true],
  ['index', 'sync', true],
  ['sync', 'index', true],
  ['sync', 'rollback', false],
  ['delta', 'take-over', false],
  ['sync', 'remove', false],
  ['sync', 'story', true],
  ['sync', 'plan', true],
  ['delta', 'apply', true],
  ['index', 'constructor', true],
])('by default %s behind %s: %s', (asked, holder, may) => {
  expect(mayQueueBehind(named(asked), named(holder), DEFAULT)).toBe(may);
});

test('QUEUE_BEHIND replaces the default, by the name of an action or by what it does', () => {
  const rule = { behind: ['sync', 'nightly'] };
  expect(mayQueueBehind(named('delta'), named('sync'), rule)).toBe(true);
  expect(mayQueueBehind(named('delta'), named('sync', 'full'), rule)).toBe(true);
  expect(mayQueueBehind(named('delta'), named('index', 'nightly'), rule)).toBe(true);
  expect(mayQueueBehind(named('sync'), named('delta'), rule)).toBe(false);
});

test('the latest start takes the place of the remembered one, unless that does its work too', () => {
  expect(takesPlaceOf(named('sync'), named('delta'))).toBe(true);
  expect(takesPlaceOf(named('delete'), named('delta'))).toBe(true);
  expect(takesPlaceOf(named('delta'), named('delta'))).toBe(true);
  expect(takesPlaceOf(named('delta'), named('sync'))).toBe(false);
});

const steps = (
  options: string,
  over: Partial<typeof STEP_DEFAULTS> = {},
  tag = '1.4',
  query: string | null = null,
) => {
  const parameters = { action_name: 'sync', action: 'sync', is_tag: tag, options, mam_main_query: query };
  const plan = planSteps(parameters, { ...STEP_DEFAULTS, ...over });
  if ('error' in plan) throw new Error(plan.error);
  return plan.steps;
};

test.each<[string, readonly StepSpec[]]>([
  ['the size of a batch', steps('-n 100 -c 4 --item 7')],
  ['the log', steps('--debug --item 7')],
  ['the env of its index', steps('--target_env qas --item 7')],
  [
    'limits of removals',
    steps('--item 7', { maxDeletePercent: 50, maxDeleteRecords: 9, maxUpdatePercent: 3 }),
  ],
  [
    'times, tries and resources',
    steps('--item 7', { timeoutSeconds: 9, retries: 3, cpu: '2', memory: '1Gi' }),
  ],
])('%s of an env may differ from the run that promotes', (_, there) => {
  expect(areSameSteps(steps('-n 1000 -c 1 --target_env prd --item 7'), there)).toBe(true);
});

test.each<[string, readonly StepSpec[]]>([
  ['the tag', steps('--item 7', {}, '1.5')],
  ['the image', steps('--item 7', { image: 'other:1.4' })],
  ['the command', steps('--item 7', { command: ['node', 'x.ts'] })],
  ['an option', steps('')],
  ['the value of an option', steps('--item 8')],
  ['a lifted guard', steps('--item 7 --force-delete')],
  ['the query', steps('--item 7', {}, '1.4', 'q')],
  ['a missing step', []],
])('%s must be that of the run that promotes', (_, there) => {
  expect(areSameSteps(steps('--item 7'), there)).toBe(false);
});

test('all arguments of a program that is not ours count', () => {
  const command = { command: ['node', 'x.ts'] };
  expect(areSameSteps(steps('-n 1 a', command), steps('-n 2 a', command))).toBe(false);
  expect(areSameSteps(steps('-n 1 a', command), steps('-n 1 a', command))).toBe(true);
});

test('actions that repair one env need no run elsewhere', () => {
  const needs = ([action = '', options = '']: readonly string[]) => needsPromotion({ action, options });
  const ours = [
    ['rollback'],
    ['take-over'],
    ['remove', '--approval u'],
    ['forget-record'],
    ['story', '--id a'],
  ];
  expect(ours.map(needs)).toEqual(Array(5).fill(false));
  expect([['sync'], ['index']].map(needs)).toEqual([true, true]);
});

test('an action of another program that is called like one of ours needs a run elsewhere', () => {
  expect(needsPromotion({ action: 'remove', options: '--all' })).toBe(true);
  expect(needsPromotion({ action: 'story', options: '' })).toBe(true);
});

test('an applied plan has run the steps of its action', () => {
  const [step] = steps('--item 7');
  if (!step) throw new Error('no step');
  const apply = { ...step, action: 'apply', args: ['apply', '--item', '7', '--plan', 'u', '--digest', 'd'] };
  expect(areSameSteps(asPlanned([apply], step.action), [step])).toBe(true);
  expect(areSameSteps(asPlanned([{ ...apply, image: 'other' }], step.action), [step])).toBe(false);
});

test('a refusal names what lacks', () => {
  const of = { env: 'prd', target: 'avo', action: 'sync', from: 'qas', withinSeconds: 7 * 86_400 };
  expect(describeNotPromoted({ ...of, other: null })).toBe(
    "sync of target 'avo' may not start in env 'prd': no job of it completed in env 'qas' within 7 days (PROMOTE_WITHIN)",
  );
  expect(describeNotPromoted({ ...of, withinSeconds: 3600, other: 9 })).toContain(
    'within 1 hour (PROMOTE_WITHIN); job 9 ran with others',
  );
});
