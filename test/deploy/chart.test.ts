/** The built image alone: the chart installed on a cluster with real pods, and a scheduled job of it from firing to log. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Client, createClient } from '../../src/client/client.ts';
import { kubectlIn } from '../../tools/cluster/worker-account.ts';
import { startDemoSource } from '../../tools/demo/source.ts';
import { ALLOWED, listed, workerAccount } from '../support/can-i.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { CHART, createHelm } from '../support/helm.ts';
import { ADMIN_PASSWORD, login } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import { type RealPods, startRealPods } from '../support/real-pods.ts';
import { SECRET } from '../support/system.ts';
import { createNamespace } from '../support/temporal.ts';

const CITIES = 171_075;
const SCHEDULE = 'dev.cities.sync';
const [REPOSITORY = '', TAG = ''] = inject('image').name.split(':');
const namespace = `release-${randomBytes(4).toString('hex')}`;

type Pod = {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly containerStatuses?: readonly { ready: boolean; restartCount: number }[] };
};

let pods: RealPods;
let sink: TestDatabase;
let kubectl: (...args: string[]) => Promise<string>;
let client: Client;
/** Of the Service, as everybody in the cluster reaches it. */
let apiUrl: string;
const undo = new AsyncDisposableStack();

beforeAll(async () => {
  pods = undo.use(await startRealPods(inject('image').archive));
  const { cluster, reach } = pods;
  kubectl = kubectlIn({ ...cluster, kubectl: path.join(cluster.binDir, 'kubectl') }, namespace);
  await kubectl('create', 'namespace', namespace);
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
  const database = undo.use(await createDatabase({ migrated: false }));
  await secret('syncrator', {
    DATABASE_URL: await reach(database.url),
    SYNCRATOR_SECRET: SECRET,
    SYNCRATOR_ADMIN_PASSWORD: ADMIN_PASSWORD,
  });
  const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-release-'));
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  const source = await startDemoSource({ dataDir: dir, rate: 60_000 });
  undo.defer(source.stop);
  sink = undo.use(await createDatabase({ migrated: false }));
  await secret('syncrator-envtarget-dev-cities', {
    SOURCE: 'ndjson',
    SOURCE_URL: await reach(`${source.url}/records`),
    SINK: 'postgres',
    SINK_URL: await reach(sink.url),
    SINK_TABLE: 'cities',
  });
  const temporal = await createNamespace();
  const [file, text] = paramsFile({
    target: 'cities',
    action: 'sync',
    command: null,
    more: 'SCHEDULE=* * * * *\n', // by itself within a minute, at whatever time of the day this runs
  });
  const [env = '', name = ''] = file.split('/');
  const values = path.join(dir, 'values.json');
  writeFileSync(
    values,
    JSON.stringify({
      image: { repository: REPOSITORY, tag: TAG },
      existingSecret: 'syncrator',
      temporal: {
        address: new URL(await reach(`http://${temporal.address}`)).host,
        namespace: temporal.namespace,
      },
      jobParams: { [env]: { [name]: text.replace('IS_TAG=latest', `IS_TAG=${TAG}`) } },
    }),
  );
  const helm = undo.use(await createHelm(cluster.kubeconfig));
  const into = ['--namespace', namespace];
  await helm.run('install', 'data', CHART, ...into, '-f', values, '--wait', '--timeout', '4m');
  apiUrl = `http://${await kubectl('get', 'service', 'data-api', '-o', 'jsonpath={.spec.clusterIP}')}`;
  const token = await login(apiUrl);
  client = createClient({ url: apiUrl, token: async () => token });
}, 420_000);

afterAll(() => undo.disposeAsync(), 90_000);

async function secret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  const literals = Object.entries(values).map(([key, value]) => `--from-literal=${key}=${value}`);
  await kubectl('create', 'secret', 'generic', name, ...literals);
}

async function copied(): Promise<number> {
  const sql = new pg.Client({ connectionString: sink.url, connectionTimeoutMillis: 10_000 });
  await sql.connect();
  try {
    const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM cities');
    return Number(rows[0]?.count);
  } finally {
    await sql.end();
  }
}

test('two apis and two workers of the image are ready, their migrations done', async () => {
  const { items } = JSON.parse(
    await kubectl('get', 'pods', '-l', 'app.kubernetes.io/instance=data', '-o', 'json'),
  ) as { items: Pod[] };
  const parts = items.map(({ metadata, spec, status }) => ({
    part: metadata.labels['app.kubernetes.io/component'],
    images: spec.containers.map(({ image }) => image),
    ready: status.containerStatuses?.map(({ ready }) => ready),
  }));
  const one = (part: string) => ({ part, images: [inject('image').name], ready: [true] });
  const sorted = parts.toSorted((a, b) => String(a.part).localeCompare(String(b.part)));
  expect(sorted).toEqual([one('api'), one('api'), one('worker'), one('worker')]);
  const answer = await fetch(`${apiUrl}/health/ready`, { signal: AbortSignal.timeout(10_000) });
  expect(await answer.json()).toEqual({ status: 'ok', postgres: 'ok', temporal: 'ok' });
  const plain = kubectl('run', 'plain', `--image=${inject('image').name}`, '--restart=Never');
  await expect(plain).rejects.toThrow('violates PodSecurity "restricted');
});

test('a schedule fires by itself, its sync completes and reports, and its log is there when its pod is gone', {
  timeout: 240_000,
}, async () => {
  const of = async (status: string) =>
    (await client.listJobs({ target: 'cities', status: [status] })).jobs.map(({ id }) => id);
  await expect.poll(() => of('completed'), { timeout: 180_000, interval: 500 }).not.toEqual([]);
  await client.pauseSchedule(SCHEDULE);
  const id = (await of('completed')).at(-1) ?? 0;
  const job = await client.showJob(id);
  expect(job).toMatchObject({ trigger: 'schedule', status: 'completed' });
  expect(await copied()).toBe(CITIES);
  expect((await client.jobReports(id)).length).toBeGreaterThan(2);
  const left = () => kubectl('get', 'pods,jobs', '-l', `syncrator/job-id=${id}`, '-o', 'name');
  await expect.poll(left, { timeout: 30_000 }).toBe('');
  expect(await client.readLog(id)).toMatch(/syncrator-job[^]* done trace_id=[0-9a-f]{32}\n/);
});

test('the worker may do what its Role says and nothing else, nowhere else; the api nothing at all', async () => {
  const account = (name: string) => workerAccount(pods.cluster, { namespace, kubectl }, name);
  expect(await account('data-worker').listedByKubectl()).toEqual(ALLOWED);
  expect(await account('data-worker').mayDo()).toEqual(listed(ALLOWED));
  expect(await account('data-worker').mayDo('default')).toEqual([]);
  expect(await account('data-api').mayDo()).toEqual([]);
});
