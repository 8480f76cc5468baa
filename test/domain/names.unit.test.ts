/** Names: the same for the same attempt, never the same for another, and valid in Kubernetes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NAME_PATTERN, scheduleId, stepName, TAG_PATTERN, workflowId } from '../../src/domain/names.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const attempts = fc.record({
  uid: fc.uuid(),
  step: fc.nat(999),
  attempt: fc.integer({ min: 1, max: 9999 }),
  action: fc.oneof(fc.stringMatching(NAME_PATTERN), fc.string()),
});

test('a step name is a short DNS label and always the same', () => {
  fc.assert(
    fc.property(attempts, (of) => {
      const name = stepName(of);
      expect(name.length).toBeLessThanOrEqual(52);
      expect(name).toMatch(DNS_LABEL);
      expect(stepName({ ...of })).toBe(name);
    }),
  );
});

test('other attempts, steps and jobs have other names', () => {
  fc.assert(
    fc.property(attempts, attempts, (one, other) => {
      fc.pre(one.uid !== other.uid || one.step !== other.step || one.attempt !== other.attempt);
      expect(stepName(one)).not.toBe(stepName(other));
      expect(stepName(one)).not.toBe(stepName({ ...one, attempt: one.attempt + 1 }));
      expect(stepName(one)).not.toBe(stepName({ ...one, step: one.step + 1 }));
    }),
  );
});

test('ids differ if any part differs', () => {
  expect(workflowId({ env: 'dev', target: 'avo' })).toBe('syncrator/dev/avo');
  expect(scheduleId({ env: 'dev', target: 'avo', action: 'delta' })).toBe('dev.avo.delta');
});

test('different keys never share a workflow or a schedule', () => {
  const name = fc.stringMatching(NAME_PATTERN);
  fc.assert(
    fc.property(fc.tuple(name, name, name), fc.tuple(name, name, name), (one, other) => {
      fc.pre(one.join(' ') !== other.join(' '));
      const id = ([env, target, action]: readonly [string, string, string]) =>
        `${workflowId({ env, target })} ${scheduleId({ env, target, action })}`;
      expect(id(one)).not.toBe(id(other));
    }),
  );
});

test.each(['avo', 'a', '0', 'hetarchief_audio', 'a-b_c', 'a'.repeat(40)])('%s is a name', (name) => {
  expect(name).toMatch(NAME_PATTERN);
});

test.each(['', 'Avo', '-a', 'a-', '_a', 'a.b', 'a b', 'a/b', '../a', 'é', 'a\n', 'a'.repeat(41)])(
  '%j is not a valid name',
  (name) => {
    expect(name).not.toMatch(NAME_PATTERN);
  },
);

test.each(['latest', 'v1.2.3', '_x', 'A-b.c', 'a'.repeat(128)])('%s is a tag', (tag) => {
  expect(tag).toMatch(TAG_PATTERN);
});

test.each(['', '.a', '-a', 'a b', 'a:b', 'a/b', 'a\n', 'a'.repeat(129)])('%j is not a valid tag', (tag) => {
  expect(tag).not.toMatch(TAG_PATTERN);
});
