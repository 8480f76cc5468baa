/**
 * POD_OVERRIDES is a closed list, so that a params file can change nothing else of a pod; each refusal names its
 * fault.
 */
import { expect, test } from 'vitest';
import { parsePodOverrides } from '../../src/config/pod-overrides.ts';

const KNOWN =
  'annotations, labels, nodeSelector, tolerations, priorityClassName, serviceAccountName, imagePullSecrets, runAsUser, supplementalGroups, seLinuxOptions, readOnlyRootFilesystem';

test('every allowed field is accepted unchanged', () => {
  const all = {
    annotations: {
      'sidecar.istio.io/inject': 'false',
      'kwok.syncrator/exit-code': 'any text at all: {"a": 1}',
    },
    labels: { team: 'data', 'example.com/cost-centre': 'A.1_b-2', empty: '' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [
      { key: 'dedicated', operator: 'Equal', value: 'jobs', effect: 'NoSchedule' },
      { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 },
    ],
    priorityClassName: 'low',
    serviceAccountName: 'jobs',
    imagePullSecrets: ['registry.example'],
    runAsUser: 1000,
    supplementalGroups: [5000],
    seLinuxOptions: { level: 's0:c26,c5' },
    readOnlyRootFilesystem: false,
  };
  expect(parsePodOverrides(JSON.stringify(all))).toStrictEqual(all);
  expect(parsePodOverrides('{}')).toStrictEqual({});
});

test.each(['', '{', 'true', 'nodeSelector=disk', "{'a': 1}"])(
  '%j is refused, since it is not a JSON object',
  (text) => {
    expect(() => parsePodOverrides(text)).toThrow(/^is not JSON such as|^Invalid input: expected object/);
  },
);

/** Fields that would give a pod, or a params file's author, forbidden power. */
test.each([
  'image',
  'command',
  'containers',
  'initContainers',
  'volumes',
  'env',
  'envFrom',
  'hostNetwork',
  'hostPID',
  'securityContext',
  'privileged',
  'restartPolicy',
  'automountServiceAccountToken',
  'activeDeadlineSeconds',
  'nodeName',
  'NodeSelector',
  'constructor',
  '__proto__',
])('%s cannot be overridden, and the fault tells what can', (key) => {
  const text = `{${JSON.stringify(key)}: {"a": "b"}}`;
  expect(() => parsePodOverrides(text)).toThrow(`Unrecognized key: "${key}"; known: ${KNOWN}`);
});

test.each([
  [
    'labels.syncrator/job-uid',
    { labels: { 'syncrator/job-uid': 'x' } },
    'belongs to Syncrator or to Kubernetes',
  ],
  ['labels.app.kubernetes.io/name', { labels: { 'app.kubernetes.io/name': 'x' } }, 'belongs to'],
  ['labels.batch.kubernetes.io/job-name', { labels: { 'batch.kubernetes.io/job-name': 'x' } }, 'belongs to'],
  ['labels.job-name', { labels: { 'job-name': 'x' } }, 'belongs to'],
  ['labels.controller-uid', { labels: { 'controller-uid': 'x' } }, 'belongs to'],
  ['annotations.syncrator/spec-hash', { annotations: { 'syncrator/spec-hash': 'x' } }, 'belongs to'],
  ['labels.a b', { labels: { 'a b': 'x' } }, 'is not a valid label key'],
  ['labels.a', { labels: { a: 'b c' } }, 'is not a valid label value'],
  ['labels.a', { labels: { a: 'b'.repeat(64) } }, 'is not a valid label value'],
  ['labels.a', { labels: { a: 1 } }, 'expected string'],
  ['annotations.a', { annotations: { a: 'b'.repeat(4097) } }, 'Too big'],
  ['nodeSelector.-disk', { nodeSelector: { '-disk': 'ssd' } }, 'is not a valid label key'],
  ['tolerations', { tolerations: 'all' }, 'expected array'],
  ['tolerations', { tolerations: Array.from({ length: 21 }, () => ({ operator: 'Exists' })) }, 'Too big'],
  ['tolerations.0', { tolerations: [{ operator: 'Exists', nope: 1 }] }, 'Unrecognized key: "nope"'],
  ['tolerations.1.operator', { tolerations: [{}, { operator: 'In' }] }, 'Invalid option'],
  ['tolerations.0.effect', { tolerations: [{ effect: 'Never' }] }, 'Invalid option'],
  ['priorityClassName', { priorityClassName: 'High!' }, 'is not a valid name of a Kubernetes object'],
  ['serviceAccountName', { serviceAccountName: '' }, 'is not a valid name of a Kubernetes object'],
  ['imagePullSecrets.0', { imagePullSecrets: ['../registry'] }, 'is not a valid name of a Kubernetes object'],
  // `restricted` exists to keep root out.
  ['runAsUser', { runAsUser: 0 }, 'Too small'],
  ['supplementalGroups.0', { supplementalGroups: [0] }, 'Too small'],
  ['seLinuxOptions.level', { seLinuxOptions: { level: 's0 ' } }, 'is not a valid SELinux label'],
  ['runAsUser', { runAsUser: '1000' }, 'expected number'],
  ['readOnlyRootFilesystem', { readOnlyRootFilesystem: 'false' }, 'expected boolean'],
])('%s is refused by its path: %j', (where, value, fault) => {
  const refused = faultOf(JSON.stringify(value));
  expect(refused).toContain(`${where}: `);
  expect(refused).toContain(fault);
});

function faultOf(text: string): string {
  try {
    parsePodOverrides(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
}
