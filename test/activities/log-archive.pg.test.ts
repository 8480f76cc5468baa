/** Tests the stored logs of steps: complete after late reads, cut in the middle when long, marked when parts are missing. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitted } from '../support/bulk-jobs.ts';
import { numberedLines } from '../support/programs/play.ts';
import { params, startSystem, type System } from '../support/system.ts';

const LIMIT = 256 * 1024;
/** Three times the kept length. */
const LOUD = 8_000;

let system: System;
beforeAll(async () => {
  system = await startSystem({
    params: [
      params('loud', 'sync', `--mute --seconds 0.2 --lines ${LOUD}`),
      params('unwatched', 'sync', '--mute --seconds 3 --lines 2000'),
      params('vanished', 'sync', '--mute --seconds 3 --lines 2000'),
      params('both', 'delta', '--mute --seconds 0.2 --lines 3'),
      params('both', 'delete', '--mute --seconds 0.2 --lines 5'),
    ],
  });
  await system.startApi();
});
afterAll(() => system[Symbol.asyncDispose]());

const start = () => system.startWorker('src/worker.ts', { LOG_LIMIT: '256KiB' });
const folderOf = async (id: number) =>
  path.join(system.dataDir, 'runs', (await system.job(id)).steps[0]?.name ?? '');

/** A job whose worker is killed while it runs, and whose program has ended since. */
async function endedUnwatched(target: string): Promise<number> {
  const worker = await start();
  const id = await submitted(system, target);
  await system.until(id, 'running');
  await expect.poll(() => system.logText(id)).toContain('at work');
  await worker.kill();
  const folder = await folderOf(id);
  const exit = () => readFileSync(path.join(folder, 'exit.json'), { encoding: 'utf8', flag: 'a+' });
  await expect.poll(exit, { timeout: 30_000 }).toContain('exited');
  return id;
}

test('output printed while no worker ran is stored to the last line', async () => {
  const id = await endedUnwatched('unwatched');
  const worker = await start();
  const { steps } = await system.until(id, 'completed', 60_000);
  expect(steps).toMatchObject([{ log_state: 'complete' }]);
  const text = await system.logText(id);
  expect(text.slice(text.indexOf('line 1 '))).toBe(`${numberedLines(2_000)}\n`);
  await worker.kill();
});

test('a log that was lost before its end was read is marked, and its job ends', async () => {
  const id = await endedUnwatched('vanished');
  rmSync(await folderOf(id), { recursive: true });
  const worker = await start();
  const { diagnosis, steps } = await system.until(id, 'failed', 60_000);
  expect(diagnosis).toMatchObject({ code: 'job_disappeared' });
  expect(steps).toMatchObject([{ log_state: 'end_missing' }]);
  expect(await system.logText(id)).toMatch(
    /at work for job \d+\n+\[Syncrator: the end of this log is missing: .*\]\n$/,
  );
  await worker.kill();
});

test('a log longer than LOG_LIMIT keeps its beginning and end, and the number of bytes between', async () => {
  const worker = await start();
  const id = await submitted(system, 'loud');
  const { steps } = await system.until(id, 'completed');
  const text = await system.logText(id);
  const [head = '', bytes = '', tail = ''] = text.split(
    /\n\[Syncrator: ([\d,]+) bytes are omitted here: .*\]\n\n/,
  );
  const printed = `sync at work for job ${id}\n${numberedLines(LOUD)}\n`;
  expect(printed.startsWith(head.slice(head.indexOf('line 1 ')), printed.indexOf('line 1 '))).toBe(true);
  expect(printed.endsWith(tail)).toBe(true);
  expect(head.length + Number(bytes.replaceAll(',', '')) + tail.length).toBe(steps[0]?.log_bytes);
  expect(tail.length).toBeGreaterThan(LIMIT / 2 - 100); // the end begins with a whole line
  expect(head.length).toBeGreaterThanOrEqual(LIMIT / 2);
  expect(head.length + tail.length).toBeLessThan(LIMIT + 2 * 64 * 1024);
  await worker.kill();
});

test('a download has the logs of all steps in one file, each under its name', async () => {
  const worker = await start();
  const id = await submitted(system, 'both', 'delta', 'delete');
  await system.until(id, 'completed');
  const [before, first, delta = '', second, remove = ''] = (await system.logText(id)).split(
    /^===== (.*) =====\n/m,
  );
  expect([before, first, second]).toEqual(['', 'step 1: delta, attempt 1', 'step 2: delete, attempt 1']);
  expect(delta.endsWith(`${numberedLines(3)}\n`)).toBe(true);
  expect(remove.endsWith(`${numberedLines(5)}\n`)).toBe(true);
  await worker.kill();
});
