import { once } from 'node:events';
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changeDemo } from '../../../tools/demo/change.ts';
import { readAddress } from '../../../tools/demo/files.ts';
import { startDemoSource } from '../../../tools/demo/source.ts';
import { digestSource } from '../../../tools/demo/verify.ts';

type Row = { id: string; updated_at: string; name: string };

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-demo-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(dataDir = temporaryDirectory(), rate: number | null = null) {
  const source = await startDemoSource({ dataDir, rate });
  onTestFinished(() => source.stop());
  return { ...source, dataDir };
}

async function get(url: string): Promise<{ rows: Row[]; headers: Headers; status: number }> {
  const response = await fetch(url);
  const text = await response.text();
  const rows = response.ok
    ? text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Row)
    : [];
  return { rows, headers: response.headers, status: response.status };
}

describe('the demo source', () => {
  it('the demo source lists all cities in byte order, each once, page by page', async () => {
    const { url } = await start();
    const ids: string[] = [];
    for (let after = '', more = true; more; after = ids.at(-1) ?? '') {
      const { rows, headers } = await get(`${url}/records?fields=id&limit=50000&after=${after}`);
      ids.push(...rows.map(({ id }) => id));
      more = headers.get('link') !== null;
    }
    expect(ids.length).toBeGreaterThan(150_000);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual([...ids].sort());
    const { rows, headers } = await get(`${url}/records?limit=1`);
    expect(headers.get('x-total-count')).toBe(String(ids.length));
    expect(headers.get('link')).toMatch(/<http.*after=.*>; rel="next"/);
    expect(rows[0]).toMatchObject({ id: ids[0], updated_at: '2025-01-01T09:30:17.000Z', country: 'AD' });
    expect(Object.keys(rows[0] ?? {})).toEqual(
      expect.arrayContaining(['id', 'updated_at', 'name', 'lat', 'lng', 'country', 'admin1', 'admin2']),
    );
  });

  it('the demo source changes, removes, empties and restores, and remembers it', async () => {
    const { url, dataDir, stop } = await start();
    const all = Number((await get(`${url}/records?limit=1`)).headers.get('x-total-count'));
    const since = new Date(Date.now() - 1000).toISOString();
    const changed = await changeDemo(['--change', '7', '--remove', '3'], dataDir);
    expect(changed).toMatchObject({
      exitCode: 0,
      text: expect.stringMatching(/changed: 7 .*\nremoved: 3 /) as string,
    });
    const recent = await get(`${url}/records?updated_since=${since}`);
    expect(recent.rows).toHaveLength(7);
    expect(recent.rows[0]?.name).toMatch(/ \(1\)$/);
    const digest = await digestSource(`${url}/records`);
    expect(digest.count).toBe(all - 3);

    await stop();
    expect(readAddress(dataDir)).toBeNull();
    const again = await start(dataDir);
    expect(await digestSource(`${again.url}/records`)).toEqual(digest);

    expect((await changeDemo(['--empty'], dataDir)).text).toBe(`emptied: ${all - 3}`);
    expect((await get(`${again.url}/records`)).headers.get('x-total-count')).toBe('0');
    expect((await changeDemo(['--restore'], dataDir)).text).toBe(`restored: ${all}`);
    const restored = await get(`${again.url}/records?updated_since=${since}&limit=1`);
    expect(restored.headers.get('x-total-count'), 'all of them are news').toBe(String(all));
  });

  it('the demo source restores removed records as new ones', async () => {
    const { url, dataDir } = await start();
    await changeDemo(['--remove', '2'], dataDir);
    const since = new Date(Date.now() - 1000).toISOString();
    await changeDemo(['--restore'], dataDir);
    expect((await get(`${url}/records?updated_since=${since}`)).rows).toHaveLength(2);
  });

  it('the demo source serves everything, no faster than DEMO_RATE', async () => {
    const { url } = await start(undefined, 500);
    const begin = performance.now();
    const { rows } = await get(`${url}/records?limit=200`);
    expect(rows).toHaveLength(200);
    expect(performance.now() - begin).toBeGreaterThan(350);
  });

  it.each(['limit=0', 'limit=x', 'updated_since=yesterday', 'fields=name'])(
    'the demo source refuses ?%s',
    async (query) => {
      const { url } = await start();
      expect((await get(`${url}/records?${query}`)).status).toBe(400);
    },
  );

  it('the demo source runs as a process that says when it is ready and ends on SIGTERM', async () => {
    const dataDir = temporaryDirectory();
    const child = fork('tools/demo/source.ts', {
      env: { ...process.env, SYNCRATOR_DATA: dataDir },
      silent: true,
    });
    const [message] = (await once(child, 'message')) as [{ ready: boolean; url: string }];
    expect(message).toEqual({ ready: true, url: readAddress(dataDir)?.url });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(join(dataDir, 'demo', 'source.json'))).toBe(false);
  });
});

describe('demo:change', () => {
  it.each([
    [[], 2, 'give one of'],
    [['--empty', '--restore'], 2, 'give one of'],
    [['--change', 'many'], 2, 'not a number'],
    [['--bogus'], 2, '--bogus'],
    [['--help'], 0, '--restore'],
    [['--empty'], 1, 'npm start'],
  ])('%j exits %i', async (argv, exitCode, said) => {
    const answer = await changeDemo(argv, temporaryDirectory());
    expect(answer).toEqual({ exitCode, text: expect.stringContaining(said) as string });
  });

  it('demo:change says so when the source was killed', async () => {
    const { dataDir, stop, url } = await start();
    await stop();
    const { writeAddress } = await import('../../../tools/demo/files.ts');
    writeAddress(dataDir, { url, pid: 1 });
    expect(await changeDemo(['--empty'], dataDir)).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining('npm start') as string,
    });
  });
});
