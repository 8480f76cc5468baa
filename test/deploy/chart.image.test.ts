/**
 * The built image under an admission like OpenShift's restricted-v2: the chart is installed on a cluster with real
 * pods, upgraded, rolled back and upgraded again while a job runs.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { type Client, createClient } from '../../src/client/client.ts';
import { kubectlIn } from '../../tools/cluster/worker-account.ts';
import { startDemoSource } from '../../tools/demo/source.ts';
import { ALLOWED, listed, workerAccount } from '../support/can-i.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { page, someRows } from '../job/support/fake-source.ts';
import { setup } from '../job/support/setup.ts';
import { CHART, createHelm, type Helm } from '../support/helm.ts';
import { ADMIN_PASSWORD, login } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import { type RealPods, startRealPods } from '../support/real-pods.ts';
import { startSteadyCalls } from '../support/steady-calls.ts';
import { FIRST_ID, imitateRestrictedV2 } from '../support/restricted-v2.ts';
import { SECRET } from '../support/system.ts';
import { createNamespace } from '../support/temporal.ts';

const CITIES = 171_075;
const SCHEDULE = 'dev.cities.sync';
const [REPOSITORY = '', TAG = ''] = inject('image').name.split(':');
const namespace = `release-${randomBytes(4).toString('hex')}`;

type Pod = {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Record<string, string> };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string }[];
    readonly securityContext: { readonly runAsUser?: number; readonly fsGroup?: number };
  };
  readonly status: { readonly containerStatuses?: readonly { ready: boolean; restartCount: number }[] };
};

let pods: RealPods;
let database: TestDatabase;
let sink: TestDatabase;
let helm: Helm;
/** The values file of the release. */
let values: string;
let kubectl: (...args: string[]) => Promise<string>;
let client: Client;
/** Address of the Service, as everybody in the cluster reaches it. */
let apiUrl: string;
const undo = new AsyncDisposableStack();

beforeAll(async () => {
  pods = undo.use(await startRealPods(inject('image').archive));
  const { cluster, reach } = pods;
  kubectl = kubectlIn({ ...cluster, kubectl: path.join(cluster.binDir, 'kubectl') }, namespace);
  await kubectl('create', 'namespace', namespace);
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
  undo.use(await imitateRestrictedV2(kubectl, namespace));
  database = undo.use(await createDatabase({ migrated: false }));
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
    more: 'SCHEDULE=* * * * *\n', // fires by itself within a minute, at any time of the day
  });
  const [env = '', name = ''] = file.split('/');
  const [, held] = paramsFile({ target: 'held', action: 'sync', command: null });
  const ofImage = (of: string) => of.replace('IS_TAG=latest', `IS_TAG=${TAG}`);
  values = path.join(dir, 'values.json');
  writeFileSync(
    values,
    JSON.stringify({
      image: { repository: REPOSITORY, tag: TAG },
      existingSecret: 'syncrator',
      temporal: {
        address: new URL(await reach(`http://${temporal.address}`)).host,
        namespace: temporal.namespace,
      },
      jobParams: { [env]: { [name]: ofImage(text), 'held-sync.public_params': ofImage(held) } },
    }),
  );
  helm = undo.use(await createHelm(cluster.kubeconfig));
  await release('install', 'data', CHART, '-f', values);
  apiUrl = `http://${await kubectl('get', 'service', 'data-api', '-o', 'jsonpath={.spec.clusterIP}')}`;
  // helm waits for ready pods; a Service leads to them only once its endpoints are known, as with kube-proxy.
  await vi.waitFor(() => isReady(apiUrl), { timeout: 30_000 });
  const token = await login(apiUrl);
  client = createClient({ url: apiUrl, token: async () => token });
}, 420_000);

afterAll(() => undo.disposeAsync(), 90_000);

async function secret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  const literals = Object.entries(values).map(([key, value]) => `--from-literal=${key}=${value}`);
  await kubectl('create', 'secret', 'generic', name, ...literals);
}

async function isReady(url: string): Promise<void> {
  const { status } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
  expect(status).toBe(200);
}

/** Resolves when everything that it changed is ready. */
async function release(...command: string[]): Promise<void> {
  await helm.run(...command, '--namespace', namespace, '--wait', '--timeout', '4m');
}

async function query<R extends pg.QueryResultRow>(url: string, text: string): Promise<R[]> {
  const sql = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await sql.connect();
  try {
    return (await sql.query<R>(text)).rows;
  } finally {
    await sql.end();
  }
}

async function podsWith(label: string): Promise<Pod[]> {
  return (JSON.parse(await kubectl('get', 'pods', '-l', label, '-o', 'json')) as { items: Pod[] }).items;
}

test('two apis and two workers of the image are ready, their migrations done', async () => {
  const items = await podsWith('app.kubernetes.io/instance=data');
  const parts = items.map(({ metadata, spec, status }) => ({
    part: metadata.labels['app.kubernetes.io/component'],
    images: spec.containers.map(({ image }) => image),
    ready: status.containerStatuses?.map(({ ready }) => ready),
  }));
  const one = (part: string) => ({ part, images: [inject('image').name], ready: [true] });
  const sorted = parts.toSorted((a, b) => String(a.part).localeCompare(String(b.part)));
  expect(sorted).toEqual([one('api'), one('api'), one('worker'), one('worker')]);
  const answer = await fetch(`${apiUrl}/health/ready`, { signal: AbortSignal.timeout(10_000) });
  expect(await answer.json()).toEqual({ status: 'ok', postgres: 'ok', temporal: 'ok', params: 'ok' });
  const plain = kubectl('run', 'plain', `--image=${inject('image').name}`, '--restart=Never');
  await expect(plain).rejects.toThrow('violates PodSecurity "restricted');
});

test('api and worker run as the user that the namespace assigns, in group 0, and can write only to their temporary folder', async () => {
  for (const { metadata, spec } of await podsWith('app.kubernetes.io/instance=data')) {
    expect(spec.securityContext).toMatchObject({ runAsUser: FIRST_ID, fsGroup: FIRST_ID });
    const inside = (line: string) => kubectl('exec', metadata.name, '--', 'sh', '-c', line);
    expect(
      (await inside('id -u; id -g; touch /tmp/there; touch /app/x /x 2>/dev/null || echo no')).split('\n'),
    ).toEqual([String(FIRST_ID), '0', 'no', '']);
  }
  const overrides = (security: object) =>
    JSON.stringify({
      spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...security },
        containers: [
          {
            name: 'other',
            image: inject('image').name,
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    });
  for (const security of [{ runAsUser: 1000 }, { fsGroup: 1000 }]) {
    const other = ['run', 'other', `--image=${inject('image').name}`, `--overrides=${overrides(security)}`];
    await expect(kubectl(...other)).rejects.toThrow('unable to validate against any security context');
  }
});

test('a schedule fires by itself, its sync completes and reports, and its log outlives its pod', {
  timeout: 240_000,
}, async () => {
  const of = async (status: string) =>
    (await client.listJobs({ target: 'cities', status: [status] })).jobs.map(({ id }) => id);
  await expect.poll(() => of('completed'), { timeout: 180_000, interval: 500 }).not.toEqual([]);
  await client.pauseSchedule(SCHEDULE);
  const id = (await of('completed')).at(-1) ?? 0;
  const job = await client.showJob(id);
  expect(job).toMatchObject({ trigger: 'schedule', status: 'completed' });
  const [copied] = await query<{ count: number }>(sink.url, 'SELECT count(*)::int AS count FROM cities');
  expect(copied?.count).toBe(CITIES);
  expect((await client.jobReports(id)).length).toBeGreaterThan(2);
  const left = () => kubectl('get', 'pods,jobs', '-l', `syncrator/job-id=${id}`, '-o', 'name');
  await expect.poll(left, { timeout: 30_000 }).toBe('');
  expect(await client.readLog(id)).toMatch(/syncrator-job[^]* done trace_id=[0-9a-f]{32}\n/);
});

test('the worker has exactly the rights of its Role, in its namespace only; the api has none', async () => {
  const account = (name: string) => workerAccount(pods.cluster, { namespace, kubectl }, name);
  expect(await account('data-worker').listedByKubectl()).toEqual(ALLOWED);
  expect(await account('data-worker').mayDo()).toEqual(listed(ALLOWED));
  expect(await account('data-worker').mayDo('default')).toEqual([]);
  expect(await account('data-api').mayDo()).toEqual([]);
});

/** A source with so many pages that a job lasts for everything done meanwhile; on request it serves the rest at once. */
async function slowSource() {
  const t = await setup(someRows(5_000));
  const hurry = Promise.withResolvers<void>();
  t.source.pageSize = 1;
  t.source.bend = (listing) => Promise.race([hurry.promise, wait(200)]).then(() => page(listing));
  return {
    ...t,
    hurry() {
      t.source.bend = null;
      t.source.pageSize = 1_000;
      hurry.resolve();
    },
  };
}

test('through an upgrade, a rollback and another upgrade a job continues in its pod and every call is answered', {
  timeout: 900_000,
}, async () => {
  const source = undo.use(await slowSource());
  await secret('syncrator-envtarget-dev-held', {
    SOURCE: 'ndjson',
    SOURCE_URL: await pods.reach(source.source.url),
    SINK: 'postgres',
    SINK_URL: await pods.reach(source.sinkUrl),
    SINK_TABLE: 'held',
  });
  const { jobs: ended } = await client.listJobs({ target: 'cities', status: ['completed'] });
  const started = await client.start('sync', 'held', 'dev');
  if (started.result === 'queued') throw new Error(started.msg);
  const { job_id: id } = started;
  await expect.poll(() => source.source.requests.length, { timeout: 90_000 }).toBeGreaterThan(5);
  await expect.poll(async () => (await client.showJob(id)).status, { timeout: 30_000 }).toBe('running');
  const ofJob = async () => (await podsWith(`syncrator/job-id=${id}`)).map(({ metadata }) => metadata.uid);
  const ofProduct = async () =>
    (await podsWith('app.kubernetes.io/name=syncrator,app.kubernetes.io/component in (api,worker)')).map(
      ({ metadata }) => metadata.uid,
    );
  const pod = await ofJob();
  expect(pod).toHaveLength(1);

  const rolls: [what: string, command: string[]][] = [
    ['upgrade', ['upgrade', 'data', CHART, '-f', values, '--set', 'settings.KEEP_LOGS=30d']],
    ['rollback', ['rollback', 'data']],
    [
      'upgrade of what was rolled back',
      ['upgrade', 'data', CHART, '-f', values, '--set', 'settings.KEEP_LOGS=31d'],
    ],
  ];
  for (const [what, command] of rolls) {
    // Left by the version that is taken back: this version does not know it, as its hook finds at the next upgrade.
    if (what === 'rollback')
      await query(database.url, "INSERT INTO kysely_migration VALUES ('9999-later', now()::text)");
    const before = await ofProduct();
    const calls = startSteadyCalls(apiUrl, await login(apiUrl), [
      { method: 'GET', route: `/jobs/${id}`, status: 200 },
      { method: 'GET', route: '/targets', status: 200 },
      { method: 'DELETE', route: `/jobs/${ended[0]?.id}`, status: 200 },
      { method: 'GET', route: '/health/ready', status: 200 },
    ]);
    await release(...command);
    // Helm is done when the new pods are ready; the old ones take a little longer to end.
    await expect
      .poll(async () => (await ofProduct()).filter((uid) => before.includes(uid)), { timeout: 90_000 })
      .toEqual([]);
    const { answered, wrong } = await calls.stop();
    expect(wrong, what).toEqual([]);
    expect(answered, what).toBeGreaterThan(50);
    expect(await ofJob(), what).toEqual(pod);
    expect((await client.showJob(id)).status, what).toBe('running');
  }

  source.hurry();
  await expect
    .poll(async () => (await client.showJob(id)).status, { timeout: 120_000, interval: 500 })
    .toBe('completed');
  const { steps } = await client.showJob(id);
  expect(steps.map(({ attempt }) => attempt)).toEqual([1]);
  const [{ count } = { count: 0 }] = await query<{ count: number }>(
    source.sinkUrl,
    'SELECT count(*)::int AS count FROM held',
  );
  expect(count).toBe(5_000);
});
