/** Only the owner can read the files of the embedded Temporal, also those of an older version. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startTemporal } from '../../src/embedded/temporal.ts';

test("no other user of the machine can read Temporal's files", { timeout: 120_000 }, async () => {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-temporal-files-'));
  const modes = () =>
    readdirSync(dataDir)
      .filter((name) => name.startsWith('temporal'))
      .map((name) => [name, (statSync(path.join(dataDir, name)).mode & 0o777).toString(8)]);
  try {
    for (const start of ['the first', 'the next']) {
      const left = await startTemporal({ dataDir });
      const made = modes();
      chmodSync(path.join(dataDir, 'temporal.db'), 0o644);
      const temporal = await startTemporal({ dataDir }); // adopts the previous server, as after a kill of its owner
      const files = modes();
      await temporal.stop();
      expect(temporal.pid).toBe(left.pid);
      expect(files).toEqual(made);
      expect(
        files.map(([name]) => name),
        start,
      ).toContain('temporal.db');
      expect(files, start).toEqual(files.map(([name]) => [name, '600']));
      chmodSync(path.join(dataDir, 'temporal.db'), 0o644);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
