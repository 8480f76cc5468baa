/** The chart: valid for helm, for its schema and for a real apiserver, with exactly the rights that we publish. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { NAME_PATTERN } from '../../src/domain/names.ts';
import { readConfig } from '../../src/config/config.ts';
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
}, 900_000); // the first run builds helm, which takes minutes
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
  test('the chart lints, and a real apiserver accepts every object of it', async () => {
    await run('lint', '--strict', CHART, ...valuesOf(file));
    const rendered = path.join(dir, file);
    writeFileSync(rendered, await render(file));
    const said = await ground.kubectl('apply', '--dry-run=server', '-f', rendered);
    expect(said.trim().split('\n').length).toBeGreaterThan(10);
    for (const line of said.trim().split('\n')) expect(line).toMatch(/ created \(server dry run\)$/);
  });

  test('api and worker accept its settings', async () => {
    const all = manifests(await render(file));
    const { data } = named(all, 'ConfigMap', 'data-settings') as unknown as { data: Record<string, string> };
    const fromSecret = { DATABASE_URL: 'postgres://u:p@db/x', SYNCRATOR_SECRET: 'x'.repeat(44) };
    expect(() => readConfig({ ...data, ...fromSecret })).not.toThrow();
  });
});

test('a wrong value is refused and named', async () => {
  for (const [wrong, why] of [
    ['api.replicas=0', /replicas/],
    ['temporal.address=temporal', /address/],
    ['existingSecret=', /existingSecret/],
    ['api.replica=2', /replica/],
    ['publicUrl=sync.example.org', /publicUrl/],
    ['temporal.address=::1:7233', /address/],
    ['jobs.namespace=No_Name', /namespace/],
    ['host=localhost', /host/],
    ['migrations.annotations.helm\\.sh/hook=x', /annotations/],
  ] as const)
    await expect(render('least.yaml', '--set', wrong)).rejects.toThrow(why);
});

describe('environments', () => {
  const GOOD_FILE = { 'trial-sync.public_params': 'TARGET=trial' };
  const withEnvs = (...envs: string[]) => [
    '--set-json',
    `jobParams=${JSON.stringify(Object.fromEntries(envs.map((env) => [env, GOOD_FILE])))}`,
  ];

  test('environments match the pattern of the loader of params files', async () => {
    const schema = JSON.parse(readFileSync(path.join(CHART, 'values.schema.json'), 'utf8')) as {
      properties: { jobParams: { propertyNames: { pattern: string } } };
    };
    expect(schema.properties.jobParams.propertyNames.pattern).toBe(NAME_PATTERN.source);
    await run('lint', '--strict', CHART, ...valuesOf('least.yaml'), ...withEnvs('dev_2', 'a_b-c_d'));
    for (const wrong of ['dev_', '-dev', 'Dev', 'x'.repeat(41)])
      await expect(render('least.yaml', ...withEnvs(wrong)), wrong).rejects.toThrow(/propertyName/);
  });

  test('each environment has a ConfigMap and a volume with unique names that Kubernetes accepts', async () => {
    const all = manifests(await render('least.yaml', ...withEnvs('dev_2')));
    expect(named(all, 'ConfigMap', 'data-params-dev-2')).toBeDefined();
    const text = JSON.stringify(named(all, 'Deployment', 'data-worker'));
    expect(text).toContain('"name":"params-dev-2","mountPath":"/job_params/dev_2"');
    expect(text).toContain('"name":"params-dev-2","configMap":{"name":"data-params-dev-2"}');
    for (const [one, other] of [
      ['dev-2', 'dev_2'],
      ['a-b_c', 'a_b-c'],
    ] as const)
      await expect(render('least.yaml', ...withEnvs(one, other))).rejects.toThrow(
        `jobParams: ${one} and ${other} would share the ConfigMap and volume`,
      );
  });
});

test('a changed setting rolls the pods; a changed params file, which they read again, does not', async () => {
  const podsWith = async (...more: string[]) => {
    const all = manifests(await render('usual.yaml', ...more));
    return ['api', 'worker'].map((part) => named(all, 'Deployment', `data-${part}`));
  };
  const withFile = (options: string) => [
    '--set-json',
    `jobParams=${JSON.stringify({ qas: { 'avo-sync.public_params': `OPTIONS=${options}` } })}`,
  ];
  const before = await podsWith(...withFile('-n 1'));
  expect(await podsWith(...withFile('-n 2'))).toEqual(before);
  const [api, worker] = await podsWith(...withFile('-n 1'), '--set', 'settings.LOG_LEVEL=debug');
  expect([api, worker]).not.toEqual(before);
});

test('an image may be named by its digest', async () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const text = await render('least.yaml', '--set', `image.digest=${digest}`);
  expect(text).toContain(`image: syncrator@${digest}`);
  expect(text).not.toMatch(/image: syncrator:/);
  await expect(render('least.yaml', '--set', 'image.digest=sha256:short')).rejects.toThrow(/digest/);
});

test('a Kubernetes without sleeping preStop hooks is refused', async () => {
  await expect(render('least.yaml', '--kube-version', '1.29.14')).rejects.toThrow(/kubeVersion/);
  expect(await render('least.yaml', '--kube-version', '1.30.0')).toContain('preStop: { sleep:');
});

test('neither two apis nor two workers share a node unless they must', async () => {
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

test('the worker has the rights of deploy/kubernetes/role.yaml, and with forceDelete may delete pods', async () => {
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

test('the chart includes the alerts of deploy/monitoring', async () => {
  const all = manifests(
    await render('usual.yaml', '--set', 'metrics.alerts=true', '--set', 'metrics.podMonitor=true'),
  );
  const alerts = parse(readFileSync(path.join(ROOT, 'deploy/monitoring/alerts.yaml'), 'utf8')) as object;
  expect(named(all, 'PrometheusRule', 'data')?.['spec']).toEqual(alerts);
  expect(named(all, 'PodMonitor', 'data')).toBeDefined();
});

type PodTemplate = {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: Record<string, unknown> & {
    securityContext: Record<string, unknown>;
    containers: { envFrom: object[]; securityContext: Record<string, unknown> }[];
  };
};
const templateOf = (all: readonly Manifest[], kind: string, name: string) =>
  (named(all, kind, name) as unknown as { spec: { template: PodTemplate } }).spec.template;

test('the chart names neither users nor groups, unless podSecurityContext does: OpenShift assigns its own', async () => {
  const parts = [
    ['Deployment', 'data-api'],
    ['Deployment', 'data-worker'],
    ['Job', 'data-migrations'],
  ] as const;
  const named = { runAsUser: 1000690000, fsGroup: 1000690000, supplementalGroups: [5000] };
  for (const [file, more] of [
    ['usual.yaml', {}],
    ['everything.yaml', named],
  ] as const) {
    const all = manifests(await render(file));
    for (const [kind, name] of parts) {
      const { spec } = templateOf(all, kind, name);
      const plain = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
      expect([name, spec.securityContext]).toEqual([name, { ...plain, ...more }]);
      for (const { securityContext } of spec.containers)
        expect(Object.keys(securityContext)).toEqual([
          'allowPrivilegeEscalation',
          'readOnlyRootFilesystem',
          'capabilities',
        ]);
    }
  }
});

test('the migrations have the settings of api and worker before these exist, and their own annotations and scheduling', async () => {
  const all = manifests(
    await render('everything.yaml', '--set', 'settings.NODE_EXTRA_CA_CERTS=/certificates/ca.crt'),
  );
  const { metadata, spec } = templateOf(all, 'Job', 'data-migrations');
  expect(spec.containers[0]?.envFrom).toEqual([
    { configMapRef: { name: 'data-migrations' } },
    { secretRef: { name: 'syncrator' } },
  ]);
  const settings = named(all, 'ConfigMap', 'data-migrations');
  expect(settings?.['data']).toMatchObject({
    NODE_EXTRA_CA_CERTS: '/certificates/ca.crt',
    OIDC_AUDIENCE: 'syncrator',
  });
  // Both are created before the release's own objects, the settings first.
  expect(settings?.metadata).toMatchObject({
    annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-1' },
  });
  expect(named(all, 'Job', 'data-migrations')?.metadata).toMatchObject({
    annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade', 'example.org/team': 'data' },
  });
  expect(metadata).toMatchObject({
    labels: { 'sidecar.istio.io/inject': 'false', 'app.kubernetes.io/component': 'migrations' },
    annotations: { 'linkerd.io/inject': 'disabled' },
  });
  expect(spec).toMatchObject({
    nodeSelector: { pool: 'services' },
    tolerations: [{ key: 'services', operator: 'Exists' }],
    priorityClassName: 'services',
    imagePullSecrets: [{ name: 'registry' }],
  });
});

test('each setting appears once, and a value under `settings` takes precedence', async () => {
  const text = await render('least.yaml', '--set', 'settings.HOST=::');
  expect(text.match(/ HOST:/g)).toHaveLength(1);
  const { data } = named(manifests(text), 'ConfigMap', 'data-settings') as unknown as {
    data: Record<string, string>;
  };
  expect(data).toMatchObject({ HOST: '::', METRICS_HOST: '0.0.0.0' });
  const six = manifests(
    await render('least.yaml', '--set', 'host=::', '--set', 'temporal.address=[fd00::7]:7233'),
  );
  expect(named(six, 'ConfigMap', 'data-settings')?.['data']).toMatchObject({
    HOST: '::',
    METRICS_HOST: '::',
    TEMPORAL_ADDRESS: '[fd00::7]:7233',
  });
});

type Policy = {
  metadata: { namespace?: string };
  spec: { policyTypes: string[]; ingress?: object[]; egress?: object[] };
};
const policyOf = (all: readonly Manifest[], name: string) =>
  named(all, 'NetworkPolicy', name) as unknown as Policy;

test('nobody may read the metrics unless a peer is named', async () => {
  const closed = manifests(await render('least.yaml'));
  expect(policyOf(closed, 'data-api').spec.ingress).toEqual([{ ports: [{ port: 'http' }] }]);
  expect(policyOf(closed, 'data-worker').spec).toMatchObject({ policyTypes: ['Ingress'] });
  expect(policyOf(closed, 'data-worker').spec.ingress).toBeUndefined();
  const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
  const open = manifests(await render('everything.yaml'));
  expect(policyOf(open, 'data-worker').spec.ingress).toEqual([
    { ports: [{ port: 'metrics' }, { port: 'sdk-metrics' }], from: [monitoring] },
  ]);
});

test('once egress rules are given, pods of jobs reach only their peers, the api and DNS', async () => {
  expect(policyOf(manifests(await render('least.yaml')), 'data-jobs').spec.policyTypes).toEqual(['Ingress']);
  const { spec } = policyOf(manifests(await render('everything.yaml')), 'data-jobs');
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
  const dns = [53, 5353].flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port })));
  expect(spec.egress).toEqual([
    {
      to: [
        {
          podSelector: {
            matchLabels: {
              'app.kubernetes.io/name': 'syncrator',
              'app.kubernetes.io/instance': 'data',
              'app.kubernetes.io/component': 'api',
            },
          },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ground.namespace } },
        },
      ],
      ports: [{ port: 8080 }],
    },
    { ports: dns },
    { to: [{ ipBlock: { cidr: '10.20.0.0/16' } }], ports: [{ port: 5432 }] },
  ]);
});

test('jobs may have their own namespace, where only the worker may create them', {
  timeout: 90_000,
}, async () => {
  const jobs = `${ground.namespace}-jobs`;
  await ground.kubectl('create', 'namespace', jobs);
  const rendered = path.join(dir, 'own-namespace.yaml');
  writeFileSync(rendered, await render('everything.yaml', '--set', `jobs.namespace=${jobs}`));
  const all = manifests(readFileSync(rendered, 'utf8'));
  expect(named(all, 'ConfigMap', 'data-settings')?.['data']).toMatchObject({ KUBERNETES_NAMESPACE: jobs });
  const inJobs = all.filter(({ metadata }) => (metadata as { namespace?: string }).namespace === jobs);
  expect(inJobs.map(({ kind, metadata: { name } }) => `${kind} ${name}`).toSorted()).toEqual([
    'NetworkPolicy data-jobs',
    'Role data-worker',
    'RoleBinding data-worker',
  ]);
  expect(JSON.stringify(policyOf(all, 'data-api').spec.ingress)).toContain(
    `"kubernetes.io/metadata.name":"${jobs}"`,
  );
  const ours = rendered.replace('.yaml', '-roles.json');
  writeFileSync(ours, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: inJobs }));
  const kubectl = (...args: string[]) => ground.kubectl('--namespace', jobs, ...args);
  await kubectl('apply', '-f', ours);
  const account = `--as=system:serviceaccount:${ground.namespace}:data-worker`;
  expect((await kubectl('auth', 'can-i', 'create', 'jobs.batch', account)).trim()).toBe('yes');
  await expect(ground.kubectl('auth', 'can-i', 'create', 'jobs.batch', account)).rejects.toThrow();
  await ground.kubectl('delete', 'namespace', jobs, '--wait=false');
});

test('the chart is installed in a namespace that enforces restricted pods, and its pods are admitted', {
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
  // Pods are simulated here: the test ends this one's migrations.
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
