/** `next`, and what starts say on the command line when they are queued, refused as not promoted, or overridden. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paramsFile } from '../support/params-files.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { commandLine } from './support.ts';

let system: System;
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-cli-next-'));
const { syncrator, login } = commandLine({ home, url: () => system.apiUrl });

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('busy', 'delta', '--mute --seconds 600'),
      params('busy', 'sync', '--mute', 'QUEUE=one\n'),
      paramsFile({ target: 'busy', action: 'sync', env: 'prd', more: 'PROMOTE_FROM=dev\n' }),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

test('a queued start says behind which job, how to see it and how to cancel it', {
  timeout: 90_000,
}, async () => {
  expect((await syncrator(['delta', 'busy', 'dev'])).code).toBe(0);
  const queued = await syncrator(['sync', 'busy', 'dev']);
  expect(queued.code).toBe(0);
  expect(queued.stdout).toMatch(/sync of busy in dev is queued behind job \d+/);
  expect(queued.stdout).toContain('cancel it: syncrator next busy dev --cancel');
  // There is no job that could be waited for.
  const waited = await syncrator(['sync', 'busy', 'dev', '--wait']);
  expect([waited.code, waited.stdout]).toEqual([1, '']);
  expect(waited.stderr).toContain('no job to follow yet');
  const targets = await syncrator(['targets', 'busy']);
  expect(targets.stdout).toMatch(/\d+ \w+.*, then sync/);
  const shown = await syncrator(['next', 'busy', 'dev']);
  expect(shown.stdout).toMatch(/next\s+sync of busy in dev/);
  expect(shown.stdout).toMatch(/requested\s+.* by admin \(api\)/);
  const cancelled = await syncrator(['next', 'busy', 'dev', '--cancel']);
  expect(cancelled.stdout).toContain('cancelled: it will not start');
  const gone = await syncrator(['next', 'busy', 'dev']);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining("no start of target 'busy'")]);
});

test('a start that is not promoted names the override, which starts it', { timeout: 60_000 }, async () => {
  const refused = await syncrator(['sync', 'busy', 'prd']);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain("no job of it completed in env 'dev' within 7 days");
  expect(refused.stderr).toContain('--unpromoted');
  expect((await syncrator(['sync', 'busy', 'prd', '--unpromoted'])).code).toBe(0);
});
