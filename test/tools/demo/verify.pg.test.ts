import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changeDemo } from '../../../tools/demo/change.ts';
import { startDemoSource } from '../../../tools/demo/source.ts';
import { verifyDemo } from '../../../tools/demo/verify.ts';
import { setup } from '../../job/support/setup.ts';

describe('demo:verify', () => {
  it('demo:verify detects equality and difference after sync, changes, delta and delete', async () => {
    await using t = await setup();
    const dataDir = mkdtempSync(join(tmpdir(), 'syncrator-demo-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const source = await startDemoSource({ dataDir });
    onTestFinished(() => source.stop());
    mkdirSync(join(dataDir, 'envtarget'));
    writeFileSync(
      join(dataDir, 'envtarget', 'dev-cities.env'),
      `# the demo\nSINK=postgres\nSINK_URL=${t.sinkUrl}\nSINK_TABLE=cities\n`,
    );
    const environment = { SOURCE_URL: `${source.url}/records` };
    await expect(verifyDemo(dataDir)).rejects.toThrow(/run a sync/);

    expect((await t.run('sync', environment)).code).toBe(0);
    expect((await verifyDemo(dataDir)).equal).toBe(true);
    await changeDemo(['--change', '7', '--remove', '3'], dataDir);
    expect((await verifyDemo(dataDir)).equal).toBe(false);
    await t.run('delta', environment);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 7 });
    expect((await verifyDemo(dataDir)).equal).toBe(false);
    await t.run('delete', environment);
    expect(t.receiver.reports.at(-1)).toMatchObject({ deleted: 3 });
    expect((await verifyDemo(dataDir)).equal).toBe(true);
    appendFileSync(join(dataDir, 'envtarget', 'dev-cities.env'), 'FIELDS=drop name\n');
    await expect(verifyDemo(dataDir)).rejects.toThrow(/dev-cities.env sets FIELDS/);
    // Four readings of all cities, and three jobs over them.
  }, 240_000);

  it('demo:verify says so when no source is running', async () => {
    await expect(verifyDemo('/nowhere')).rejects.toThrow(/npm start/);
  });
});
