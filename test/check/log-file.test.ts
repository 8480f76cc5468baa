/** What of a program's log file is handed on, and when: never half a word, which might be half a credential. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { openLogFile } from '../../src/runner/process/log-file.ts';

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

it('waits for the end of a word, and hands on words of a line that has no end yet', async () => {
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

it('hands on what fills a part without an end, but for a character cut in two', async () => {
  const log = reader();
  print(`x${'é'.repeat(40_000)}`);
  const first = await read(log);
  expect(first).toBe(`x${'é'.repeat(32_767)}`);
  expect(await read(log)).toBeUndefined();
  expect(await read(log, true)).toBe('é'.repeat(40_000 - 32_767));
});

it('begins behind what is passed over with a whole word', async () => {
  print(`${'x'.repeat(150)}//user:s3cr3t@host and more `);
  const log = reader({ head: 0, tail: 20 });
  expect(await read(log)).toBe('and more ');
});
