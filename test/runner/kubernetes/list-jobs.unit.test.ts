/** Lists our Jobs and pods that still count as running: exactly those that may still run, whatever keeps the objects. */
import { expect, test } from 'vitest';
import { leftBehind } from '../../../activities/left-behind.ts';
import { labelsOf } from '../../../src/runner/kubernetes/labels.ts';
import { listAttempts } from '../../../src/runner/kubernetes/list-jobs.ts';
import type { Job, ObjectMeta, Pod } from '../../../src/runner/kubernetes/apiserver/types.ts';

const NOW = Date.parse('2026-03-02T08:05:00Z');
const AGO = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const LABELS = labelsOf({
  installation: 'i',
  jobId: 7,
  jobUid: 'u',
  env: 'dev',
  target: 'cities',
  action: 'sync',
  step: 0,
  attempt: 1,
  specHash: 'h',
});
const meta = (name: string, of: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: AGO(60),
  labels: LABELS,
  ...of,
});
const job = (of: Partial<ObjectMeta> = {}, type?: string, counts: Job['status'] = {}): Job => ({
  metadata: meta('syn', of),
  status: { conditions: type === undefined ? [] : [{ type, status: 'True' }], ...counts },
});
const pod = (phase: 'Pending' | 'Running' | 'Failed' | 'Succeeded', of: Partial<ObjectMeta> = {}): Pod => ({
  metadata: meta('syn-x', {
    labels: {
      ...LABELS,
      'batch.kubernetes.io/job-name': 'syn',
      'batch.kubernetes.io/controller-uid': 'syn',
    },
    ...of,
  }),
  spec: { nodeName: 'worker-3' },
  status: { phase },
});
const HELD = {
  deletionTimestamp: AGO(3),
  finalizers: ['batch.kubernetes.io/job-tracking', 'example.org/hold'],
};
const GOING = { deletionTimestamp: AGO(3), finalizers: ['foregroundDeletion'] };

test.for([
  ['a Job under way', job(), [pod('Running')], { live: true, removing: false }],
  ['a Job with no pod yet', job(), [], { live: true, removing: false }],
  ['a Job that is not judged yet', job(), [pod('Failed')], { live: true, removing: false }],
  ['a judged Job', job({}, 'Complete'), [pod('Succeeded')], { live: false, held: [] }],
  ['a judged Job whose pod lives on', job({}, 'Failed'), [pod('Running')], { live: true }],
  [
    'a deleted Job whose pod ends',
    job(GOING),
    [pod('Running', GOING)],
    { live: true, removing: true, held: [] },
  ],
  [
    'a deleted Job whose ended pod is held',
    job(GOING),
    [pod('Failed', HELD)],
    { live: false, removing: true, held: ['pod syn-x, held by finalizer example.org/hold'] },
  ],
  [
    'a deleted Job whose pod is held and may run on, on a node that is lost',
    job(GOING),
    [pod('Running', { ...HELD, deletionGracePeriodSeconds: 30 })],
    { live: true, ending: { by: 'node worker-3', graceSeconds: 30 } },
  ],
  [
    'the same after a deletion by force',
    job(GOING),
    [pod('Running', { ...HELD, deletionGracePeriodSeconds: 0 })],
    { live: false, ending: undefined, held: ['pod syn-x, held by finalizer example.org/hold'] },
  ],
  [
    'a deleted Job that is held itself, its pod gone',
    job({ deletionTimestamp: AGO(30), finalizers: ['example.org/hold'] }),
    [],
    { live: false, held: ['Kubernetes Job syn, held by finalizer example.org/hold'] },
  ],
  [
    'the same, by a cluster whose clock is ahead',
    job({ deletionTimestamp: AGO(-3600), finalizers: ['example.org/hold'] }),
    [],
    { live: false },
  ],
  [
    'one deleted just now and held, whose pod may still be made',
    job({ deletionTimestamp: AGO(3), finalizers: ['foregroundDeletion', 'example.org/hold'] }),
    [],
    { live: true, removing: true },
  ],
  [
    'a deleted Job without a foreign finalizer, by a cluster whose clock is behind: its pod may still be made until it is gone',
    job({ deletionTimestamp: AGO(60), finalizers: ['foregroundDeletion'] }),
    [],
    { live: true, removing: true },
  ],
  [
    'a deleted Job whose pod has ended, until both are gone',
    job(GOING),
    [pod('Failed', GOING)],
    { live: true },
  ],
  ['the same once the pod is gone', job(GOING, 'FailureTarget', { active: 1 }), [], { live: true }],
  [
    'a deleted Job that is held itself, its pod counted and gone',
    job({ deletionTimestamp: AGO(1), finalizers: ['example.org/hold'] }, undefined, { failed: 1 }),
    [],
    { live: false },
  ],
  ['a pod whose Job is gone', undefined, [pod('Running')], { name: 'syn', live: true, removing: false }],
  ['the same, ended and held', undefined, [pod('Failed', HELD)], { live: false, removing: true }],
] as const)('%s', ([, of, pods, expected]) => {
  const listed = listAttempts(of === undefined ? [] : [of], pods, NOW);
  expect(listed).toMatchObject([expected]);
});

test('objects kept by foreign finalizers are listed as text, else none', () => {
  const [held] = listAttempts([job(GOING)], [pod('Failed', HELD)], NOW);
  const [running] = listAttempts([job(GOING)], [pod('Running')], NOW);
  if (!held || !running) throw new Error('nothing is listed');
  expect(leftBehind([])).toBeUndefined();
  expect(leftBehind([{ ...held, held: [] }])).toBeUndefined();
  expect(leftBehind([held])?.detail).toBe(
    'Has ended but cannot be deleted yet: pod syn-x, held by finalizer example.org/hold.',
  );
  expect(leftBehind([held, running])?.objects).toEqual([
    'syn, not ended',
    'pod syn-x, held by finalizer example.org/hold',
  ]);
});
