/** Report tokens: each is valid for one attempt of one step of one job, whichever secret signed it. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeReportToken, parseReportToken, verifyReportToken } from '../../src/auth/report-token.ts';

const OLD = 'o'.repeat(32);
const NEW = 'n'.repeat(32);

test('among 20 jobs with 20 attempts each, a token is valid only for its own attempt of its own job', () => {
  const jobs = Array.from({ length: 20 }, () => randomUUID());
  const attempts = Array.from({ length: 20 }, (_, n) => ({ step: n % 4, attempt: 1 + Math.floor(n / 4) }));
  const seen = new Set<string>();
  for (const uid of jobs)
    for (const of of attempts) {
      const token = makeReportToken([NEW], { uid, ...of });
      seen.add(token);
      expect(parseReportToken(token)).toMatchObject(of);
      expect(jobs.filter((other) => verifyReportToken([NEW], token, other))).toEqual([uid]);
      const { mac } = parseReportToken(token) ?? { mac: '' };
      const accepted = attempts.filter((other) =>
        verifyReportToken([NEW], `${other.step}.${other.attempt}.${mac}`, uid),
      );
      expect(accepted).toEqual([of]);
    }
  expect(seen.size).toBe(400);
});

test('step and attempt cannot run into each other', () => {
  const uid = randomUUID();
  const mac = (step: number, attempt: number) =>
    parseReportToken(makeReportToken([NEW], { uid, step, attempt }))?.mac;
  expect(mac(1, 11)).not.toBe(mac(11, 1));
  expect(mac(1, 12)).not.toBe(mac(11, 2));
});

test('a token outlives one rotation of its secret, and the newest secret signs', () => {
  const of = { uid: randomUUID(), step: 0, attempt: 1 };
  const before = makeReportToken([OLD], of);
  expect(verifyReportToken([NEW, OLD], before, of.uid)).toBe(true);
  expect(makeReportToken([NEW, OLD], of)).toBe(makeReportToken([NEW], of));
  expect(verifyReportToken([NEW], before, of.uid)).toBe(false);
  expect(verifyReportToken([], before, of.uid)).toBe(false);
  expect(() => makeReportToken([], of)).toThrow(/no secret/);
});

test('a token changed in any one character is refused', () => {
  const of = { uid: randomUUID(), step: 0, attempt: 1 };
  const token = makeReportToken([NEW], of);
  for (let at = 0; at < token.length - 1; at++) {
    const other = token[at] === '1' ? '2' : '1';
    expect(verifyReportToken([NEW], `${token.slice(0, at)}${other}${token.slice(at + 1)}`, of.uid)).toBe(
      false,
    );
  }
});

test.each(['', 'token', '0.1', '0.1.', '-1.1.a', '1.1.1', `0.1.${'a'.repeat(44)}`, `0.1.${'*'.repeat(43)}`])(
  '%j is not a valid report token',
  (token) => {
    expect(parseReportToken(token)).toBeUndefined();
    expect(verifyReportToken([NEW], token, randomUUID())).toBe(false);
  },
);
