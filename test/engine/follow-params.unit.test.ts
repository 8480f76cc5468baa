/** Following params files ends with the process, whatever the files do. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { followParams, openParams } from '../../src/engine/follow-params.ts';
import { createLog } from '../../src/log.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

test('a folder that hangs does not keep the process from stopping', async () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'syncrator-follow-'));
  const dir = writeParams(root, [paramsFile({ target: 'avo', action: 'sync' })]);
  const log = createLog({ name: 'test', level: 'fatal' });
  const live = await openParams(dir, log);
  // A pipe without a writer keeps its reader waiting, like a file server that is gone.
  const pipe = path.join(dir, 'dev/hangs-sync.public_params');
  execFileSync('mkfifo', [pipe]);
  const stop = new AbortController();
  const following = followParams(live, log, stop.signal);
  const writer = await open(pipe, 'w'); // opens once the reader has
  stop.abort();
  await following;
  expect(live.params.files).toHaveLength(1);
  rmSync(root, { recursive: true });
  await writer.close();
});
