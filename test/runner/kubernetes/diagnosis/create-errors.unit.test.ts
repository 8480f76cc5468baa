/** The meaning of an apiserver's refusal of a create for the step. */
import { expect, test } from 'vitest';
import { KubernetesError } from '../../../../src/runner/kubernetes/apiserver/errors.ts';
import { explainCreateError } from '../../../../src/runner/kubernetes/diagnosis/create-errors.ts';

const refused = (status: number, detail: string) =>
  explainCreateError(new KubernetesError('POST jobs', { status, detail }));

test.each([
  'jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 5, limited: 5',
  'jobs.batch "x" is forbidden: status unknown for quota: q, resources: count/jobs.batch',
])('a quota is waited for: %s', (detail) => {
  expect(refused(403, detail)).toMatchObject({
    kind: 'waiting',
    reason: 'quota',
    detail: expect.stringContaining(detail),
  });
});

test('an error that a retry cannot change ends the step', () => {
  expect(refused(403, 'not allowed')).toMatchObject({ kind: 'refused', diagnosis: { code: 'forbidden' } });
  expect(refused(422, 'is invalid')).toMatchObject({
    kind: 'refused',
    diagnosis: { code: 'manifest_rejected' },
  });
});

test.each([0, 401, 409, 429, 500, 503])('status %d is thrown, so that the launch is retried', (status) => {
  expect(() => refused(status, 'later')).toThrow(KubernetesError);
});
