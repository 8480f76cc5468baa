/** The chart: right by helm, by its schema and by a real apiserver, with exactly the rights that we publish. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { CHART, createHelm, type Helm } from '../support/helm.ts';
import { createKubernetesGround, type KubernetesGround } from '../support/kubernetes.ts';

const cluster = inject('cluster');
const ROOT = path.resolve(import.meta.dirname, '../..');
const FILES = readdirSync(path.join(CHART, 'ci'));
const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-chart-'));

type Manifest = { kind: string; metadata: { name: string }; [field: string]: unknown };

let ground: KubernetesGround;
let helm: Helm;
beforeAll(async () => {
  helm = await createHelm(cluster.kubeconfig);
  ground = await createKubernetesGround(cluster, { actor: false });
});
afterAll(async () => {
  await ground.dispose();
  await helm[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const run = (...args: string[]) => helm.run(...args);
const valuesOf = (file: string) => ['-f', path.join(CHART, 'ci', file)];
const render = async (file: string, ...more: string[]) =>
  run('template', 'data', CHART, '--namespace', ground.namespace, ...valuesOf(file), ...more);
const manifests = (text: string) =>
  parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
const named = (all: readonly Manifest[], kind: string, name: string) =>
  all.find((one) => one.kind === kind && one.metadata.name === name);

describe.each(FILES)('%s', (file) => {
  test('lints, and every object of it is one to a real apiserver', async () => {
    await run('lint', '--strict', CHART, ...valuesOf(file));
    const rendered = path.join(dir, file);
    writeFileSync(rendered, await render(file));
    const said = await ground.kubectl('apply', '--dry-run=server', '-f', rendered);
    expect(said.trim().split('\n').length).toBeGreaterThan(10);
    for (const line of said.trim().split('\n')) expect(line).toMatch(/ created \(server dry run\)$/);
  });

  test('its settings are ones that api and worker take', async () => {
    const all = manifests(await render(file));
    const { data } = named(all, 'ConfigMap', 'data-settings') as unknown as { data: Record<string, string> };
    const fromSecret = { DATABASE_URL: 'postgres://u:p@db/x', SYNCRATOR_SECRET: 'x'.repeat(44) };
    expect(() => readConfig({ ...data, ...fromSecret })).not.toThrow();
  });
});

test('a wrong value is refused by name', async () => {
  for (const [wrong, why] of [
    ['api.replicas=0', /replicas/],
    ['temporal.address=temporal', /address/],
    ['existingSecret=', /existingSecret/],
    ['api.replica=2', /replica/],
    ['publicUrl=sync.example.org', /publicUrl/],
  ] as const)
    await expect(render('least.yaml', '--set', wrong)).rejects.toThrow(why);
});

test('a Kubernetes whose preStop does not sleep by itself is refused', async () => {
  await expect(render('least.yaml', '--kube-version', '1.29.14')).rejects.toThrow(/kubeVersion/);
  expect(await render('least.yaml', '--kube-version', '1.30.0')).toContain('preStop: { sleep:');
});

test('neither two apis nor two workers share a node where they need not', async () => {
  const all = manifests(await render('usual.yaml'));
  for (const part of ['api', 'worker']) {
    const deployment = named(all, 'Deployment', `data-${part}`) as unknown as {
      spec: {
        template: { metadata: { labels: object }; spec: { topologySpreadConstraints: object[] } };
      };
    };
    const { template } = deployment.spec;
    expect(template.spec.topologySpreadConstraints, part).toEqual([
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: template.metadata.labels },
      },
    ]);
  }
});

test('the worker may do what deploy/kubernetes/role.yaml says, and with forceDelete end pods', async () => {
  const [, published] = manifests(readFileSync(path.join(ROOT, 'deploy/kubernetes/role.yaml'), 'utf8'));
  const rulesOf = async (file: string) =>
    named(manifests(await render(file)), 'Role', 'data-worker')?.['rules'];
  expect(await rulesOf('least.yaml')).toEqual(published?.['rules']);
  expect(await rulesOf('everything.yaml')).toContainEqual({
    apiGroups: [''],
    resources: ['pods'],
    verbs: ['get', 'list', 'watch', 'delete'],
  });
});

test('the alerts of deploy/monitoring come along', async () => {
  const all = manifests(
    await render('usual.yaml', '--set', 'metrics.alerts=true', '--set', 'metrics.podMonitor=true'),
  );
  const alerts = parse(readFileSync(path.join(ROOT, 'deploy/monitoring/alerts.yaml'), 'utf8')) as object;
  expect(named(all, 'PrometheusRule', 'data')?.['spec']).toEqual(alerts);
  expect(named(all, 'PodMonitor', 'data')).toBeDefined();
});

test('is installed in a namespace that wants restricted pods, and its pods are let in', {
  timeout: 120_000,
}, async () => {
  await ground.kubectl(
    'label',
    'namespace',
    ground.namespace,
    'pod-security.kubernetes.io/enforce=restricted',
  );
  await ground.kubectl(
    'create',
    'secret',
    'generic',
    'syncrator',
    '--from-literal=DATABASE_URL=postgres://u:p@db/x',
  );
  const installing = run(
    'install',
    'data',
    CHART,
    '--namespace',
    ground.namespace,
    ...valuesOf('usual.yaml'),
    '--timeout',
    '90s',
  );
  // Pods here are simulated: this one's migrations are done when somebody says so.
  const hook = 'app.kubernetes.io/component=migrations';
  await expect
    .poll(() => ground.kubectl('get', 'pods', '-l', hook, '-o', 'name'), { timeout: 30_000 })
    .toContain('pod/');
  await ground.kubectl('annotate', 'pods', '-l', hook, 'kwok.syncrator/exit-code=0');
  await installing;
  const pods = async () => {
    const list = JSON.parse(await ground.kubectl('get', 'pods', '-o', 'json')) as {
      items: { metadata: { labels: Record<string, string> } }[];
    };
    return list.items
      .map(({ metadata }) => String(metadata.labels['app.kubernetes.io/component']))
      .toSorted();
  };
  await expect.poll(pods, { timeout: 30_000 }).toEqual(['api', 'api', 'worker', 'worker']);
  const account = `--as=system:serviceaccount:${ground.namespace}:data-worker`;
  expect((await ground.kubectl('auth', 'can-i', 'create', 'jobs.batch', account)).trim()).toBe('yes');
  await expect(ground.kubectl('auth', 'can-i', 'get', 'secrets', account)).rejects.toThrow();
  await run('uninstall', 'data', '--namespace', ground.namespace);
});
