/**
 * Jobs as containers of the built image, run by a real kubelet, from the worker, a container of the image as well,
 * to the end.
 */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { type Client, createClient } from '../../src/client/client.ts';
import { startDemoSource } from '../../tools/demo/source.ts';
import { setup } from '../job/support/setup.ts';
import { someRows } from '../job/support/fake-source.ts';
import { type Container, startContainer } from '../support/container.ts';
import { createDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import { type RealPods, startRealPods } from '../support/real-pods.ts';
import { startSystem, type System } from '../support/system.ts';
import pg from 'pg';

const CITIES = 171_075;
const TAG = inject('image').name.split(':').at(-1) ?? '';
/** A program's arguments are split at spaces: these have none. */
const DEAF = `process.on('SIGTERM',()=>console.log('deaf'));console.log('up');setInterval(()=>{},1e3)`;
const GREEDY = `(all=>{for(;;)all.push(Buffer.alloc(5e6,1))})([])`;
const FOREIGN = 'MEMORY=64Mi\nCPU=100m\n';

let pods: RealPods;
let system: System;
let worker: Container;
let client: Client;

const ours = (target: string, more: { options?: string; more?: string } = {}) =>
  paramsFile({ target, action: 'sync', command: null, ...more });
const other = (target: string, command: string, more = '') =>
  paramsFile({ target, action: 'sync', command, more: FOREIGN + more });

beforeAll(async () => {
  pods = await startRealPods(inject('image').archive);
  system = await startSystem({
    ground: pods.ground,
    params: [
      ours('cities'),
      ours('held', { options: '-n 50' }),
      ours('unset'),
      ours('unknown', { more: 'IMAGE=registry.invalid/nobody/nothing\n' }),
      other('deaf', `node -e ${DEAF}`),
      other('greedy', `node -e ${GREEDY}`),
      other('ends', `node -e console.log('the-end');process.exit(77)`),
    ].map(([file, text]) => [file, text.replace('IS_TAG=latest', `IS_TAG=${TAG}`)]),
  });
  await system.startApi();
  const {
    JOB_PARAMS: params = '',
    SYNCRATOR_DATA: _,
    KUBECONFIG: kubeconfig = '',
    ...environment
  } = system.environment;
  chownSync(kubeconfig, 1000, 1000); // the image's user
  worker = startContainer(inject('image'), {
    args: ['worker'],
    environment: {
      ...environment,
      KUBECONFIG: '/kubeconfig',
      SYNCRATOR_REPORT_BASE_URL: await pods.reach(system.apiUrl),
    },
    mounts: { '/job_params': params, '/kubeconfig': kubeconfig },
  });
  await vi.waitFor(() => expect(worker.output()).toContain('worker is ready'), { timeout: 30_000 });
  const token = await login(system.apiUrl);
  client = createClient({ url: system.apiUrl, token: async () => token });
}, 300_000);

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await system?.[Symbol.asyncDispose]();
  await pods?.[Symbol.asyncDispose]();
}, 60_000);

async function start(target: string): Promise<number> {
  const started = await client.start('sync', target, 'dev', `once-${target}`);
  if (started.result === 'queued') throw new Error(started.msg);
  return started.job_id;
}

async function diagnosed(target: string, withinMs = 60_000) {
  const { diagnosis } = await system.until(await start(target), 'failed', withinMs);
  return diagnosis;
}

/** A Secret of the name that the pod refers to. */
async function settings(target: string, values: Readonly<Record<string, string>>): Promise<void> {
  const literals = Object.entries(values).map(([name, value]) => `--from-literal=${name}=${value}`);
  await pods.kubectl('create', 'secret', 'generic', `syncrator-envtarget-dev-${target}`, ...literals);
}

/** Source and sink of a test, as pods reach them. */
async function settingsOf(target: string, source: string, sink: string): Promise<void> {
  await settings(target, {
    SOURCE: 'ndjson',
    SOURCE_URL: await pods.reach(source),
    SINK: 'postgres',
    SINK_URL: await pods.reach(sink),
    SINK_TABLE: target,
  });
}

const podsOf = async (id: number) => (await pods.client.listPods(`syncrator/job-id=${id}`)).items;

/** No program of an ended job runs; the kubelet removes what is left of its pods. */
async function runsNoMore(id: number): Promise<void> {
  const isEnded = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed';
  expect((await podsOf(id)).filter(({ status }) => !isEnded(status?.phase))).toEqual([]);
  await expect.poll(() => podsOf(id), { timeout: 30_000 }).toEqual([]);
}
/** The log as the kubelet has it, not as we stored it. */
const podLog = (id: number) => pods.kubectl('logs', '--selector', `syncrator/job-id=${id}`);

async function wholeLog(id: number): Promise<string> {
  let text = '';
  const signal = AbortSignal.timeout(30_000);
  for await (const part of client.liveLog(id, { step: 0, attempt: 1 }, { signal })) text += part.text;
  return text;
}

test('the demo data are copied, with reports and a log while the pod runs, and a log after it is gone', {
  timeout: 180_000,
}, async () => {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-demo-'));
  const source = await startDemoSource({ dataDir, rate: 60_000 });
  await using sink = await createDatabase({ migrated: false });
  await settingsOf('cities', `${source.url}/records`, sink.url);
  const id = await start('cities');
  const counts = new Set<number>();
  const heard: string[] = [];
  const signal = AbortSignal.timeout(150_000);
  await system.until(id, 'running', 60_000);
  const log = (async () => {
    for await (const { text } of client.liveLog(id, { step: 0, attempt: 1 }, { signal }))
      if ((await system.job(id)).status === 'running') heard.push(text);
  })();
  for await (const job of client.liveJob(id, { signal }))
    if (job.status === 'running' && job.progress) counts.add(job.progress.records_done ?? 0);
  await log;
  expect((await system.job(id)).status).toBe('completed');
  expect(counts.size).toBeGreaterThan(2);
  expect(heard.join('')).toContain('syncrator-job');
  await runsNoMore(id);
  expect(await wholeLog(id)).toMatch(/syncrator-job[^]* done trace_id=[0-9a-f]{32}\n/);
  const sql = new pg.Client({ connectionString: sink.url });
  await sql.connect();
  const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM cities');
  await sql.end();
  expect(Number(rows[0]?.count)).toBe(CITIES);
  await source.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a cancelled program gets SIGTERM, finishes its batch and reports that', {
  timeout: 90_000,
}, async () => {
  await using t = await setup(someRows(15_000));
  t.source.pageSize = 5_000;
  t.source.bend = ({ query }) => (query['after'] === 'r10000' ? new Promise<Response>(() => {}) : undefined);
  await settingsOf('held', t.source.url, t.sinkUrl);
  const id = await start('held');
  await expect.poll(() => t.loaded(), { timeout: 60_000 }).toBe(10_000);
  expect((await system.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await system.until(id, 'deleted', 25_000); // less than the grace period, after which it would have been killed
  await runsNoMore(id);
  expect(await wholeLog(id)).toContain('ended with 143');
  expect(await t.names('held')).toBeNull(); // nothing was switched
});

test('a program that ignores SIGTERM is killed after its grace period, and holds the target until then', {
  timeout: 120_000,
}, async () => {
  const id = await start('deaf');
  await expect.poll(async () => (await podsOf(id))[0]?.status?.phase, { timeout: 60_000 }).toBe('Running');
  await expect.poll(() => podLog(id), { timeout: 30_000 }).toContain('up');
  await system.call('DELETE', `/jobs/${id}`);
  await expect.poll(() => podLog(id), { timeout: 20_000 }).toContain('deaf');
  expect((await system.job(id)).status).toBe('cancelling');
  expect(await podsOf(id)).toHaveLength(1);
  await system.until(id, 'deleted', 60_000);
  await runsNoMore(id);
});

test('a program that exceeds its memory limit is diagnosed as such', { timeout: 90_000 }, async () => {
  expect(await diagnosed('greedy')).toMatchObject({ code: 'oom' });
});

test('an exit code is shown with the end of the log', { timeout: 90_000 }, async () => {
  expect(await diagnosed('ends')).toMatchObject({
    code: 'exit_code',
    summary: expect.stringContaining('77') as string,
    detail: expect.stringContaining('the-end') as string,
  });
});

test('a program without its settings names them and their place', { timeout: 90_000 }, async () => {
  expect(await diagnosed('unset')).toMatchObject({
    code: 'not_configured',
    detail: expect.stringContaining('syncrator-envtarget-dev-unset') as string,
  });
});

test('a job whose image cannot be pulled fails', { timeout: 120_000 }, async () => {
  expect(await diagnosed('unknown', 100_000)).toMatchObject({
    code: 'image_pull',
    detail: expect.stringContaining('registry.invalid') as string,
  });
});

test('the namespace of all these pods admits only restricted ones', async () => {
  const plain = pods.kubectl('run', 'plain', `--image=syncrator:${TAG}`, '--restart=Never');
  await expect(plain).rejects.toThrow('violates PodSecurity "restricted');
});
