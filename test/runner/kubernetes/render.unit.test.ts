/** The manifest of a step, compared as a whole: every change of it must be made here, too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobParameters, PodOverrides } from '../../../src/domain/job.ts';
import { planSteps, STEP_DEFAULTS, type StepDefaults } from '../../../src/domain/plan.ts';
import { CONTAINER } from '../../../src/runner/kubernetes/apiserver/types.ts';
import { renderJob, type RenderInput, settingsName } from '../../../src/runner/kubernetes/render.ts';

const TOKEN = '0.1.canary-of-the-report-token';
const PARAMETERS: JobParameters = {
  action_name: 'sync',
  action: 'sync',
  is_tag: 'v1.2',
  options: '-n 5 --debug',
  mam_main_query: null,
};

function input(
  more: Partial<RenderInput> = {},
  plan: Partial<JobParameters & StepDefaults> = {},
): RenderInput {
  const steps = planSteps(
    { ...PARAMETERS, ...plan },
    { ...STEP_DEFAULTS, ...plan },
    'registry.example/syncrator',
  );
  if ('error' in steps) throw new Error(steps.error);
  return {
    name: 'syn-sync-0123456789abcdef-0-1',
    labels: {
      installation: '7b0e3c1e-0000-4000-8000-000000000001',
      jobId: 42,
      jobUid: '7b0e3c1e-0000-4000-8000-000000000002',
      env: 'qas',
      target: 'avo_all',
      action: 'sync',
      step: 0,
      attempt: 1,
      specHash: 'f'.repeat(64),
    },
    originUid: '7b0e3c1e-0000-4000-8000-000000000003',
    spec: steps.steps[0] as RenderInput['spec'],
    jobId: 42,
    reportUrl: 'https://syncrator.example/jobs/42/report',
    traceparent: null,
    reportToken: TOKEN,
    checkpoint: undefined,
    podOverrides: {},
    ...more,
  };
}

const podOf = (of: RenderInput) => renderJob(of).spec?.template.spec;
const containerOf = (of: RenderInput) => podOf(of)?.containers[0];

const LABELS = {
  'app.kubernetes.io/name': 'syncrator-job',
  'app.kubernetes.io/managed-by': 'syncrator',
  'syncrator/installation': '7b0e3c1e-0000-4000-8000-000000000001',
  'syncrator/job-id': '42',
  'syncrator/job-uid': '7b0e3c1e-0000-4000-8000-000000000002',
  'syncrator/env': 'qas',
  'syncrator/target': 'avo_all',
  'syncrator/action': 'sync',
  'syncrator/step': '0',
  'syncrator/attempt': '1',
};
const ANNOTATIONS = { 'syncrator/spec-hash': 'f'.repeat(64) };
/** The pod only: its node must not be drained while it runs. */
const STAYS = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
};

test('the manifest of a sync step is exactly this', () => {
  expect(renderJob(input())).toStrictEqual({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'syn-sync-0123456789abcdef-0-1', labels: LABELS, annotations: ANNOTATIONS },
    spec: {
      // One pod and never a second one, however it ends.
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: 600 + 6 * 3600,
      ttlSecondsAfterFinished: 24 * 3600,
      template: {
        metadata: { labels: LABELS, annotations: { ...STAYS, ...ANNOTATIONS } },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 30,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          volumes: [{ name: 'tmp', emptyDir: {} }],
          containers: [
            {
              name: 'job',
              image: 'registry.example/syncrator:v1.2',
              command: ['syncrator-job'],
              args: ['sync', '-n', '5', '--debug', '--api_job_id', '42'],
              env: [
                { name: 'SYNCRATOR_MAX_DELETE_PERCENT', value: '10' },
                { name: 'SYNCRATOR_MAX_DELETE_RECORDS', value: '5' },
                { name: 'SYNCRATOR_ENV', value: 'qas' },
                { name: 'SYNCRATOR_TARGET', value: 'avo_all' },
                { name: 'SYNCRATOR_INSTALLATION', value: '7b0e3c1e-0000-4000-8000-000000000001' },
                { name: 'SYNCRATOR_JOB_UID', value: '7b0e3c1e-0000-4000-8000-000000000002' },
                { name: 'SYNCRATOR_ORIGIN_UID', value: '7b0e3c1e-0000-4000-8000-000000000003' },
                { name: 'SYNCRATOR_STEP', value: '0' },
                { name: 'SYNCRATOR_ATTEMPT', value: '1' },
                { name: 'SYNCRATOR_STEP_NAME', value: 'syn-sync-0123456789abcdef-0-1' },
                { name: 'SYNCRATOR_REPORT_URL', value: 'https://syncrator.example/jobs/42/report' },
                { name: 'SYNCRATOR_REPORT_TOKEN', value: TOKEN },
              ],
              envFrom: [
                { configMapRef: { name: 'syncrator-envtarget-qas-avo-all', optional: true } },
                { secretRef: { name: 'syncrator-envtarget-qas-avo-all', optional: true } },
              ],
              resources: {
                requests: { cpu: '500m', memory: '512Mi' },
                limits: { cpu: '500m', memory: '512Mi' },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              terminationMessagePolicy: 'FallbackToLogsOnError',
            },
          ],
        },
      },
    },
  });
});

test('the settings of a params file appear in the manifest', () => {
  const of = input(
    { checkpoint: '{"after":"x"}' },
    {
      image: 'other.example/tool:3',
      command: ['node', 'tool.js'],
      options: '--any thing',
      cpu: '2',
      memory: '1Gi',
      timeoutSeconds: 90,
      startTimeoutSeconds: 30,
      maxDeletePercent: 0,
      maxDeleteRecords: 7,
      maxUpdatePercent: 30,
      mam_main_query: '+(type:"a=b")',
    },
  );
  expect(renderJob(of).spec?.activeDeadlineSeconds).toBe(120);
  const container = containerOf(of);
  expect(container).toMatchObject({
    image: 'other.example/tool:3',
    command: ['node', 'tool.js'],
    args: ['sync', '--any', 'thing', '--api_job_id', '42'],
    resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } },
  });
  expect(container?.env).toEqual(
    expect.arrayContaining([
      { name: 'SYNCRATOR_MAX_DELETE_PERCENT', value: '0' },
      { name: 'SYNCRATOR_MAX_DELETE_RECORDS', value: '7' },
      { name: 'SYNCRATOR_MAX_UPDATE_PERCENT', value: '30' },
      { name: 'MAM_MAIN_QUERY', value: '+(type:"a=b")' },
      { name: 'SYNCRATOR_CHECKPOINT', value: '{"after":"x"}' },
    ]),
  );
});

test("overrides of the params file take precedence over the installation's, and our own fields over both", () => {
  const installation: PodOverrides = {
    annotations: { everywhere: 'yes', both: 'installation', 'syncrator/spec-hash': 'forged' },
    labels: { team: 'data', both: 'installation', 'syncrator/job-uid': 'forged' },
    nodeSelector: { pool: 'jobs', disk: 'any' },
    tolerations: [{ key: 'jobs', operator: 'Exists' }],
    priorityClassName: 'low',
    imagePullSecrets: ['registry'],
    runAsUser: 1000,
  };
  const own: PodOverrides = {
    annotations: { both: 'target' },
    labels: { both: 'target' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [],
    serviceAccountName: 'jobs',
    readOnlyRootFilesystem: false,
  };
  const of = input({ podOverrides: installation }, { podOverrides: own });
  const job = renderJob(of);
  expect(job.metadata).toEqual({ name: of.name, labels: LABELS, annotations: ANNOTATIONS });
  expect(job.spec?.template.metadata).toEqual({
    labels: { team: 'data', both: 'target', ...LABELS },
    annotations: { ...STAYS, everywhere: 'yes', both: 'target', ...ANNOTATIONS },
  });
  expect(podOf(of)).toMatchObject({
    nodeSelector: { pool: 'jobs', disk: 'ssd' },
    tolerations: [],
    priorityClassName: 'low',
    serviceAccountName: 'jobs',
    imagePullSecrets: [{ name: 'registry' }],
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ securityContext: { readOnlyRootFilesystem: false, capabilities: { drop: ['ALL'] } } }],
  });
});

test('OPTIONS become arguments byte for byte and appear nowhere else', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '$(cat /etc/passwd)',
      '`id`',
      '; rm -rf /',
      '"}],"command":["sh"',
      '${SYNCRATOR_REPORT_TOKEN}',
      '$(SYNCRATOR_REPORT_TOKEN)',
      '-- --api-job-id 1',
      "' || 'x",
      '{{ .Values }}',
      'é\u0301😀',
      '__proto__',
    ),
    // oxlint-disable-next-line no-control-regex -- control characters are refused before anything is rendered
    fc.string({ unit: 'grapheme' }).filter((text) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)),
  );
  const plain = JSON.stringify(renderJob(input({}, { command: ['tool'], options: '' })));
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 6 }), (words) => {
      const options = words.join(' ');
      fc.pre(options.length <= 2000 && options.isWellFormed());
      const of = input({}, { command: ['tool'], options });
      const job = renderJob(of);
      const asked = ['sync', ...options.split(' ').filter(Boolean), '--api_job_id', '42'];
      const container = containerOf(of);
      expect(container?.args?.map((arg) => expand(arg, container.env ?? []))).toEqual(asked);
      const without = structuredClone(job) as { spec: { template: { spec: { containers: object[] } } } };
      Object.assign(without.spec.template.spec.containers[0] ?? {}, { args: ['sync', '--api_job_id', '42'] });
      expect(JSON.stringify(without)).toBe(plain);
    }),
    { numRuns: 500 },
  );
});

test('the command and the environment reach the program byte for byte', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '(', ')', 'SYNCRATOR_ENV', 'x') }), (text) => {
      const of = input({ checkpoint: text }, { command: ['tool', text], mam_main_query: text });
      const { command, env = [] } = containerOf(of) ?? {};
      expect(command?.map((word) => expand(word, env))).toEqual(['tool', text]);
      for (const name of ['SYNCRATOR_CHECKPOINT', 'MAM_MAIN_QUERY'])
        expect(expand(env.find((is) => is.name === name)?.value ?? '', env)).toBe(text);
    }),
  );
});

/** Expands like the kubelet: k8s.io/kubernetes/third_party/forked/golang/expansion, `Expand`. */
function expand(text: string, env: readonly { name: string; value?: string }[]): string {
  return text.replaceAll(/\$(?:(\$)|\(([^)]*)\))/g, (whole, escaped, name) =>
    escaped ? '$' : (env.find((is) => is.name === name)?.value ?? whole),
  );
}

test('the program gets the trace context of its job, if there is one', () => {
  const told = (traceparent: string | null) =>
    containerOf(input({ traceparent }))?.env?.filter(({ name }) => name === 'TRACEPARENT');
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(told(traceparent)).toEqual([{ name: 'TRACEPARENT', value: traceparent }]);
  expect(told(null)).toEqual([]);
});

test('the pod has one container, and no secret except the report token', () => {
  const of = input();
  expect(podOf(of)?.containers.map(({ name }) => name)).toEqual([CONTAINER]);
  expect(podOf(of)?.initContainers).toBeUndefined();
  const literals = JSON.stringify(renderJob(of)).split(TOKEN).length - 1;
  expect(literals).toBe(1);
  expect(containerOf(of)?.env?.find(({ name }) => name === 'SYNCRATOR_REPORT_TOKEN')?.value).toBe(TOKEN);
  expect(containerOf(of)?.env?.some(({ valueFrom }) => valueFrom !== undefined)).toBe(false);
});

test('the name of ConfigMap and Secret is a DNS label of environment and target', () => {
  expect(settingsName({ env: 'qas', target: 'avo' })).toBe('syncrator-envtarget-qas-avo');
  expect(settingsName({ env: 'dev', target: 'bezoekertool_film' })).toBe(
    'syncrator-envtarget-dev-bezoekertool-film',
  );
});

test('the dry run renders the same manifest except the job number', () => {
  const real = renderJob(input());
  const dry = renderJob(input({ jobId: 'dryrun' }));
  expect(JSON.stringify(dry)).toBe(
    JSON.stringify(real).replace('"--api_job_id","42"', '"--api_job_id","dryrun"'),
  );
});

test('a params file can allow autoscalers to move its pods', () => {
  const of = input({}, { podOverrides: { annotations: { 'karpenter.sh/do-not-disrupt': 'false' } } });
  expect(renderJob(of).spec?.template.metadata?.annotations).toEqual({
    ...STAYS,
    'karpenter.sh/do-not-disrupt': 'false',
    ...ANNOTATIONS,
  });
});

test('the pod names no user or group unless overrides do, as OpenShift requires', () => {
  expect(podOf(input())?.securityContext).toEqual({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const podOverrides: PodOverrides = {
    runAsUser: 1000690000,
    supplementalGroups: [5000],
    seLinuxOptions: { level: 's0:c26,c5' },
  };
  expect(podOf(input({ podOverrides }))?.securityContext).toMatchObject(podOverrides);
});
