/** The image as a cluster runs it: not as root, on a read-only root, with real Postgres and Temporal. */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { namesOf, setup, type Setup } from '../job/support/setup.ts';
import { someRows } from '../job/support/fake-source.ts';
import { type Container, startContainer } from '../support/container.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';

const MB = 1_000_000;
const image = inject('image');
const run = promisify(execFile);

/** Size and files of each layer of the archive, the base's first. */
async function layers(): Promise<{ bytes: number; files: string[] }[]> {
  const shell = async (line: string, ...args: string[]) =>
    (await run('bash', ['-o', 'pipefail', '-c', line, image.archive, ...args], { maxBuffer: 64 * MB }))
      .stdout;
  const manifest = await shell('tar -xOf "$0" manifest.json');
  const [{ Layers: names }] = JSON.parse(manifest) as [{ Layers: string[] }];
  return await Promise.all(
    names.map(async (name) => ({
      bytes: Number(await shell('tar -xOf "$0" "$1" | wc -c', name)),
      files: (await shell('tar -xOf "$0" "$1" | tar -t', name)).trim().split('\n'),
    })),
  );
}

/** An api and a worker in containers, as in a deployment. */
async function deployed(system: System): Promise<{ api: Container; worker: Container }> {
  const data = path.join(system.dataDir, 'data');
  mkdirSync(data, { recursive: true });
  chownSync(data, 1000, 1000);
  chownSync(system.dataDir, 1000, 1000);
  const { JOB_PARAMS: params = '', SYNCRATOR_DATA: _, ...environment } = system.environment;
  const mounts = { '/job_params': params };
  const api = startContainer(image, { args: ['server'], environment, mounts });
  const worker = startContainer(image, {
    args: ['worker'],
    environment: { ...environment, SYNCRATOR_REPORT_BASE_URL: system.apiUrl },
    mounts: { ...mounts, '/data:rw': data },
  });
  return { api, worker };
}

const ready = async (container: Container) =>
  await expect.poll(async () => (await container.exec('healthy', 'ready')).code, { timeout: 30_000 }).toBe(0);

const settings = (t: Setup) => ({
  SOURCE: 'ndjson',
  SOURCE_URL: t.source.url,
  SINK: 'postgres',
  SINK_URL: t.sinkUrl,
  SINK_TABLE: 'cities',
});

test('the image is small: at most 350 MB, of which 70 MB are ours', async () => {
  const sizes = (await layers()).map(({ bytes }) => bytes / MB);
  const sum = (of: number[]) => Math.round(of.reduce((one, other) => one + other, 0));
  console.log(`the image: ${sum(sizes)} MB, of which ours ${sum(sizes.slice(1))} MB`);
  expect(sum(sizes)).toBeLessThanOrEqual(350);
  expect(sum(sizes.slice(1))).toBeLessThanOrEqual(70);
});

test('the image holds the built program and its commands, and nothing of the build machine', async () => {
  const [, ...ours] = await layers();
  const files = ours.flatMap((layer) => layer.files).filter((file) => !file.endsWith('/'));
  const places = new Set(files.map((file) => file.replace(/^(app)\/.*/, '$1')));
  expect([...places].toSorted()).toEqual([
    'app',
    'usr/local/bin/healthy',
    'usr/local/bin/syncrator',
    'usr/local/bin/syncrator-job',
    'usr/local/bin/tini',
  ]);
  expect(files.filter((file) => /(^|\/)\.|\.ts$|\.pem$|envtarget|npmrc/.test(file))).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining(['app/LICENSE', 'app/NOTICE', 'app/THIRD-PARTY-LICENSES.txt']),
  );
  const packages = files.flatMap((file) => /^app\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  expect([...new Set(packages)].toSorted()).toEqual([
    '@node-rs/argon2',
    expect.stringMatching(/^@node-rs\/argon2-linux-/) as string,
    '@temporalio/core-bridge',
    '@temporalio/worker',
    'source-map',
    'swagger-ui-dist',
  ]);
  const said = JSON.stringify(image.config);
  expect(said).not.toMatch(/secret|password|token/i);
});

test('the user of the image is a number other than 0, so that a cluster can see that it is not root', () => {
  expect(image.config.User).toMatch(/^[1-9]\d*$/);
});

test.each([
  ['the command line', { args: ['--help'] }, 'sync, delta, delete, diff'],
  ['a command of this machine', { args: ['params', 'check', '/job_params'] }, 'FILE'],
  [
    'the sync program, as a pod names it',
    { command: ['syncrator-job'], args: ['--help'] },
    'Usage: syncrator-job',
  ],
])('%s runs', async (_, options, words) => {
  const folder = path.resolve(import.meta.dirname, '../../job_params');
  await using container = startContainer(image, { ...options, mounts: { '/job_params': folder } });
  expect(await container.ended, container.output()).toBe(0);
  expect(container.output()).toContain(words);
});

test('api and worker become ready, copy a source into a sink, stay small and end on SIGTERM', {
  timeout: 120_000,
}, async () => {
  await using t = await setup(someRows(250));
  await using system = await startSystem({
    params: [paramsFile({ target: 'cities', action: 'sync', command: null })],
  });
  const { api, worker } = await deployed(system);
  await using _api = api;
  await using _worker = worker;
  const folder = path.join(system.dataDir, 'data/envtarget');
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'dev-cities.env'),
    Object.entries(settings(t))
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  await ready(api);
  await expect.poll(() => worker.output(), { timeout: 30_000 }).toContain('worker is ready');
  await ready(worker);
  for (const [name, container, limit] of [
    ['api', api, 150],
    ['worker', worker, 200],
  ] as const) {
    const megabytes = async () => Math.round((await container.residentBytes()) / MB);
    await expect.poll(megabytes, { timeout: 20_000, message: name }).toBeLessThanOrEqual(limit);
    console.log(`${name}, idle: ${await megabytes()} MB resident`);
  }

  for (const [route, type] of [
    ['/', 'text/html'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript'],
    ['/openapi.json', 'application/json'],
  ] as const) {
    const answer = await fetch(system.apiUrl + route, { signal: AbortSignal.timeout(10_000) });
    expect([route, answer.status, answer.headers.get('content-type')]).toEqual([
      route,
      200,
      expect.stringContaining(type) as string,
    ]);
    await answer.body?.cancel();
  }
  const started = await system.call('POST', '/sync/cities/dev');
  expect(started.status).toBe(202);
  await system.until(Number(started.body['job_id']), 'completed');
  expect(await t.names()).toEqual(namesOf(t.source.rows.values()));

  await Promise.all([api.signal('TERM'), worker.signal('TERM')]);
  expect(await Promise.all([api.ended, worker.ended])).toEqual([0, 0]);
});

test('a worker whose reconciler has stopped is not healthy, nor is an api that does not answer', async () => {
  const environment = { PORT: String(await freePort()) };
  await using container = startContainer(image, { command: ['sleep'], args: ['60'], environment });
  const check = async (what: string) => (await container.exec('bash', '-c', what)).code;
  await expect.poll(() => check('true'), { timeout: 10_000 }).toBe(0);
  expect(await check('healthy')).not.toBe(0); // no server listens
  expect(await check('touch $HEALTH_FILE && healthy')).toBe(0);
  expect(await check('touch --date "2 minutes ago" $HEALTH_FILE && healthy')).not.toBe(0);
});

test('a worker that would have to bundle workflows itself says that it cannot', {
  timeout: 60_000,
}, async () => {
  await using system = await startSystem({ params: [paramsFile({ target: 'cities', action: 'sync' })] });
  const { SYNCRATOR_DATA: _, JOB_PARAMS: params = '', ...environment } = system.environment;
  await using worker = startContainer(image, {
    command: ['env'],
    args: ['--unset=WORKFLOW_BUNDLE', 'syncrator', 'worker'],
    environment,
    mounts: { '/job_params': params },
  });
  expect(await worker.ended).toBe(1);
  expect(worker.output()).toContain('set WORKFLOW_BUNDLE to the workflow-bundle.js');
});

test('the sync program finishes its batch on SIGTERM and exits 143', { timeout: 60_000 }, async () => {
  // Two whole batches, and a third that never comes.
  await using t = await setup(someRows(15_000));
  t.source.pageSize = 5_000;
  t.source.bend = ({ query }) => (query['after'] === 'r10000' ? new Promise<Response>(() => {}) : undefined);
  await using container = startContainer(image, {
    command: ['syncrator-job'],
    args: ['sync', '-n', '50'],
    environment: t.environment,
  });
  await expect.poll(() => t.loaded(), { timeout: 20_000 }).toBe(10_000);
  await container.signal('TERM');
  expect(await container.ended, container.output()).toBe(143);
  expect(t.receiver.reports.at(-1)).toMatchObject({ phase: 'failed' });
});

test('a SIGTERM before its handler is installed ends the sync program, too', {
  timeout: 60_000,
}, async () => {
  await using t = await setup(someRows(1));
  t.source.bend = () => new Promise<Response>(() => {});
  await using container = startContainer(image, {
    command: ['syncrator-job'],
    args: ['sync'],
    environment: t.environment,
  });
  const began = async () =>
    (await container.processes().catch(() => [])).some((name) => /^(node|.*MainThread)$/.test(name));
  await expect.poll(began, { timeout: 20_000, interval: 5 }).toBe(true);
  await container.signal('TERM');
  expect(await container.ended, container.output()).toBe(143);
});
