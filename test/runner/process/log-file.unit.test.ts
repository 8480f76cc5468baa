/**
 * The parts of a program's log file that are passed on, and when: never half a word, which might be half a
 * credential.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { maskCredentials } from '../../../src/domain/mask.ts';
import { openLogFile, readLogEnd } from '../../../src/runner/process/log-file.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'syncrator-log-'));
afterAll(() => rmSync(root, { recursive: true }));

const ALL = { head: 1_000_000, tail: 1_000_000 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'run-'));
});
const print = (text: string) => appendFileSync(path.join(folder, 'log'), text);
const reader = (keep = ALL) => openLogFile(folder, 'uid', { offset: 0, mark: null }, keep);
async function read(from: ReturnType<typeof reader>, toEnd = false) {
  const part = await from.read({ toEnd });
  return typeof part === 'object' ? part.bytes.toString() : part;
}

it('returns only complete words, also of a line that has not ended', async () => {
  const log = reader();
  print('one\nconnecting to postgres://sync:s3c');
  expect(await read(log)).toBe('one\n');
  expect(await read(log)).toBe('connecting to ');
  expect(await read(log)).toBeUndefined();
  print('r3t@db/x 50 %\r');
  expect(await read(log)).toBe('postgres://sync:s3cr3t@db/x 50 %\r');
  print('100 %');
  expect([await read(log), await read(log)]).toEqual(['100 ', undefined]);
  expect([await read(log, true), await read(log, true)]).toEqual(['%', 'end']);
});

it('returns a full part without any line end, except an incomplete character', async () => {
  const log = reader();
  print(`x${'é'.repeat(40_000)}`);
  const first = await read(log);
  expect(first).toBe(`x${'é'.repeat(32_767)}`);
  expect(await read(log)).toBeUndefined();
  expect(await read(log, true)).toBe('é'.repeat(40_000 - 32_767));
});

it('resumes after the skipped middle with a whole word', async () => {
  print(`${'x'.repeat(150)}//user:s3cr3t@host and more `);
  const log = reader({ head: 0, tail: 20 });
  expect(await read(log)).toBe('and more ');
});

it.each([
  ['Authorization: Bearer ', '0123456789abcdef '],
  ['run --password ', 's3cr3t and '],
  ['PRIVATE-TOKEN: ', 'glpat-s3cr3ts3cr3ts3cr3t '],
  ['{"n": 1, "password": ', '"s3cr3t", '],
])('keeps %j and the text after it together', async (before, secret) => {
  const log = reader();
  print(`it says ${before}`);
  const first = String(await read(log));
  expect(await read(log)).toBeUndefined();
  print(secret);
  const second = await read(log);
  expect(first + second).toBe(`it says ${before}${secret}`);
  expect(maskCredentials(first) + maskCredentials(String(second))).toMatch(/^it says .*<FILTERED>/);
  print(before);
  const rest: unknown[] = [];
  for (let part = await read(log, true); part !== 'end'; part = await read(log, true)) rest.push(part);
  expect(rest.join('')).toBe(before);
});

it.each([
  ['a URL', '"postgres://user:s3c,r3t@host/x"'],
  ['a token', `"0.1.${'aZ-_'.repeat(10)}abc"`],
])('a word that fills more than a part is not cut within %s', async (_, secret) => {
  for (const into of [1, 5, 15, 25, 30]) {
    folder = mkdtempSync(path.join(root, 'run-'));
    const log = reader();
    const before = '"x",'.repeat(20_000).slice(-(65_536 - into));
    const whole = `${before}${secret}${',"y"'.repeat(20_000)}`;
    print(whole);
    const parts: string[] = [];
    for (let part = await read(log, true); part !== 'end'; part = await read(log, true))
      parts.push(String(part));
    expect(parts.join('')).toBe(whole);
    const shown = parts.map((part) => maskCredentials(part)).join('');
    expect(shown).toBe(maskCredentials(whole));
    expect(shown).toContain('<FILTERED>');
  }
});

it('reads the end of a log, also when its last line is longer than the limit', async () => {
  expect(await readLogEnd(folder)).toBeUndefined();
  print('only\n');
  expect(await readLogEnd(folder)).toBe('only');
  print(`${'x'.repeat(1_000)} ${'y'.repeat(2_000)} the reason\n\n`);
  expect(await readLogEnd(folder)).toBe('the reason');
});

it.each(['Authorization: Bearer ', 'run --password ', 'PRIVATE-TOKEN: ', '{"n": 1, "password": '])(
  'an end that is cut between or in %j and its secret shows nothing of it',
  async (before) => {
    const rest = ` and ${'z'.repeat(1_900)}`;
    for (let cut = 0; cut < before.length + 10; cut++) {
      const line = `${'x'.repeat(2_100)} ${before}"s3cr3t-s3cr3t" and more${rest}`;
      const kept = 2_048 - (line.length - line.indexOf(before)) + cut;
      await writeFile(path.join(folder, 'log'), `${line}${'z'.repeat(Math.max(0, kept))}`);
      expect(maskCredentials((await readLogEnd(folder)) ?? ''), `cut ${cut}`).not.toContain('s3cr3t');
    }
  },
);
