import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { boundLogs, openRotatingLog } from '../../src/embedded/rotating-log.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const size = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

test('our own log is bounded while it is written, and keeps its newest lines', () => {
  const file = path.join(folder, 'api.log');
  const errors: Error[] = [];
  const log = openRotatingLog(file, (error) => errors.push(error), 10_000);
  for (let line = 1; line <= 1_000; line++) log.write(`line ${String(line).padStart(94, '0')}\n`);
  log.end();
  const all = () => `${readFileSync(`${file}.1`, 'utf8')}${readFileSync(file, 'utf8')}`;
  expect(all()).toContain(`${'0'.repeat(90)}1000\n`);
  expect(size(file)).toBeLessThanOrEqual(10_200);
  expect(size(`${file}.1`)).toBeLessThanOrEqual(10_200);
  expect(errors).toEqual([]);
});

test('a log that a server holds open is rotated and starts empty', () => {
  const file = path.join(folder, 'postgres.log');
  const held = openSync(file, 'a');
  try {
    writeSync(held, 'x'.repeat(20_000));
    boundLogs([file, path.join(folder, 'absent.log')], (error) => expect.fail(error.message), 10_000)();
    expect([size(file), size(`${file}.1`)]).toEqual([0, 20_000]);
    writeSync(held, 'next');
    expect(readFileSync(file, 'utf8')).toBe('next');
  } finally {
    closeSync(held);
  }
});

test('an unwritable log is reported once, not for each line', () => {
  const errors: Error[] = [];
  const log = openRotatingLog('/dev/full', (error) => errors.push(error));
  for (let line = 0; line < 10; line++) log.write('line\n');
  expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).toEqual(['ENOSPC']);
});

test('a log that cannot be rotated is reported once, and again after a success', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const file = path.join(folder, 'temporal.log');
  writeFileSync(file, 'x'.repeat(20));
  mkdirSync(`${file}.1`); // blocks the rotation
  const errors: Error[] = [];
  const end = boundLogs([file], (error) => errors.push(error), 10);
  vi.advanceTimersByTime(60_000);
  expect(errors).toHaveLength(1);
  rmdirSync(`${file}.1`);
  vi.advanceTimersByTime(10_000);
  expect([size(file), size(`${file}.1`)]).toEqual([0, 20]);
  writeFileSync(file, 'x'.repeat(20));
  rmSync(`${file}.1`);
  mkdirSync(`${file}.1`);
  vi.advanceTimersByTime(60_000);
  expect(errors).toHaveLength(2);
  end();
});
