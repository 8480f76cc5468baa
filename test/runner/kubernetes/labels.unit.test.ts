/** Labels: they are read back as written, Kubernetes accepts them, and selectors find exactly their objects. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NAME_PATTERN, type StepLabels } from '../../../src/domain/names.ts';
import { annotationsOf, labelsOf, readLabels, selectorOf } from '../../../src/runner/kubernetes/labels.ts';
import type { ObjectMeta } from '../../../src/runner/kubernetes/apiserver/types.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^(?=.{0,63}$)([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?(?=.{1,63}$)[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/;

const name = fc.stringMatching(NAME_PATTERN);
const steps: fc.Arbitrary<StepLabels> = fc.record({
  installation: fc.uuid(),
  jobId: fc.nat(),
  jobUid: fc.uuid(),
  env: name,
  target: name,
  action: name,
  step: fc.nat(999),
  attempt: fc.integer({ min: 1, max: 9999 }),
  specHash: fc.stringMatching(/^[0-9a-f]{64}$/),
});

function objectOf(step: StepLabels): ObjectMeta {
  return {
    name: 'syn-sync-1',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: labelsOf(step),
    annotations: annotationsOf(step),
  };
}

/** Matches an equality selector as the apiserver does. */
function selects(selector: string, { labels = {} }: ObjectMeta): boolean {
  return selector.split(',').every((term) => {
    const [key = '', ...value] = term.split('=');
    return labels[key] === value.join('=');
  });
}

test('labels are read back as written, and Kubernetes accepts them', () => {
  fc.assert(
    fc.property(steps, (step) => {
      const object = objectOf(step);
      expect(readLabels(object)).toEqual(step);
      for (const [key, value] of Object.entries(object.labels ?? {})) {
        expect(key).toMatch(LABEL_KEY);
        expect(value).toMatch(LABEL_VALUE);
      }
      for (const key of Object.keys(object.annotations ?? {})) expect(key).toMatch(LABEL_KEY);
    }),
  );
});

test('an object that lacks one of our labels, or has an invalid number, is not ours', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom('x', '', '-1', '1.5', '1e3', ' 1'), (step, wrong) => {
      const object = objectOf(step);
      const ours = Object.keys(object.labels ?? {}).filter((key) => key.startsWith('syncrator/'));
      expect(ours).toHaveLength(8);
      for (const missing of ours) {
        const labels = Object.fromEntries(
          Object.entries(object.labels ?? {}).filter(([key]) => key !== missing),
        );
        expect(readLabels({ ...object, labels }), missing).toBeUndefined();
      }
      for (const number of ['syncrator/job-id', 'syncrator/step', 'syncrator/attempt'])
        expect(
          readLabels({ ...object, labels: { ...object.labels, [number]: wrong } }),
          number,
        ).toBeUndefined();
    }),
  );
  const { labels: _none, ...bare } = objectOf(fc.sample(steps, 1)[0] as StepLabels);
  expect(readLabels(bare)).toBeUndefined();
});

test('a Job without its annotation is read with an empty spec hash, which no attempt has', () => {
  fc.assert(
    fc.property(steps, (step) => {
      const { annotations: _gone, ...object } = objectOf(step);
      expect(readLabels(object)).toEqual({ ...step, specHash: '' });
    }),
  );
});

test('a selector matches exactly the objects of its installation, key or job', () => {
  fc.assert(
    fc.property(steps, steps, (one, other) => {
      fc.pre(one.installation !== other.installation && one.jobUid !== other.jobUid);
      fc.pre(one.env !== other.env || one.target !== other.target);
      const all = selectorOf(one.installation);
      const key = selectorOf(one.installation, { env: one.env, target: one.target });
      const job = selectorOf(one.installation, { jobUid: one.jobUid });
      for (const selector of [all, key, job]) {
        expect(selects(selector, objectOf(one))).toBe(true);
        expect(selects(selector, objectOf(other))).toBe(false);
        // The same labels of another installation.
        expect(selects(selector, objectOf({ ...one, installation: other.installation }))).toBe(false);
      }
      const sameInstallation = objectOf({ ...other, installation: one.installation });
      expect([all, key, job].map((selector) => selects(selector, sameInstallation))).toEqual([
        true,
        false,
        false,
      ]);
    }),
  );
});
