/** The cluster's objections to some pods and Jobs: quotas, admission policies, a webhook that does not answer. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Rig } from '../rig/rig.ts';

/** Names of the quotas; the first two count only pods of the priority class of the same name. */
export const QUOTAS = { never: 'quota-never', raised: 'quota-raised', jobs: 'quota-jobs' } as const;

/** Pods carry the name of their fault in this label. */
export const LABEL = 'fault';

const ENFORCED_WITHIN_MS = 30_000;
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
const JOBS = [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }];

/** A sidecar that the level `restricted` allows. */
const SIDECAR = `[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{
  name: "sidecar", image: "registry.example/sidecar:1",
  securityContext: Object.spec.containers.securityContext{allowPrivilegeEscalation: false,
    capabilities: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}}}}]`;

/** Resolves when each of them is seen to work. */
export async function layDownRules(rig: Rig): Promise<void> {
  const { kubectl, namespace } = rig.ground;
  await apply(rig, 'rules', [
    priorityClass(QUOTAS.never),
    priorityClass(QUOTAS.raised),
    {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] },
    },
    ...denial('pod-policy', PODS, 'no pods of this fault, says the policy'),
    ...denial('job-policy', JOBS, 'no Jobs of this fault, says the policy'),
    // Only an admission rule of the cluster can make our pods violate the level.
    ...mutation('pod-security', '[JSONPatch{op: "add", path: "/spec/hostNetwork", value: true}]'),
    ...['sidecar-failed', 'sidecar-lingers'].flatMap((fault) => mutation(fault, SIDECAR)),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'webhook-down' },
      webhooks: [
        {
          name: 'webhook-down.syncrator.example',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: PODS,
          objectSelector: { matchLabels: { [LABEL]: 'webhook-down' } },
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
  ]);
  await setQuota(rig, 'never', 0);
  await setQuota(rig, 'raised', 0);
  await enforced(rig, 'pod-policy', /says the policy/);
  await enforced(rig, 'webhook-down', /failed calling webhook/);
  await enforced(rig, 'sidecar-failed', /sidecar:1/);
  await enforced(rig, 'sidecar-lingers', /sidecar:1/);
  await enforced(rig, 'pod-security', /hostNetwork/);
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
}

/** Resolves when the quota controller has counted. */
export async function setQuota(rig: Rig, which: keyof typeof QUOTAS, most: number): Promise<void> {
  const name = QUOTAS[which];
  const counted = which === 'jobs' ? 'count/jobs.batch' : 'pods';
  const ofClass = { scopeName: 'PriorityClass', operator: 'In', values: [name] };
  await apply(rig, name, [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name },
      spec: {
        hard: { [counted]: String(most) },
        ...(which === 'jobs' ? {} : { scopeSelector: { matchExpressions: [ofClass] } }),
      },
    },
  ]);
  const hard = () =>
    rig.ground.kubectl('get', 'quota', name, '-o', `jsonpath={.status.hard.${counted.replace('.', '\\.')}}`);
  for (const deadline = Date.now() + ENFORCED_WITHIN_MS; (await hard()) !== String(most); await wait(200))
    if (Date.now() > deadline) throw new Error(`quota ${name} was not counted`);
}

function priorityClass(name: string): object {
  return { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 1 };
}

function denial(fault: string, resourceRules: object[], message: string): object[] {
  const pod = resourceRules === PODS ? 'object' : 'object.spec.template';
  const labels = `${pod}.metadata.?labels.orValue({})`;
  return policy(
    'Validating',
    fault,
    {
      matchConstraints: { resourceRules },
      matchConditions: [{ name: 'fault', expression: `${labels}[?'${LABEL}'].orValue('') == '${fault}'` }],
      validations: [{ expression: 'false', message }],
    },
    { validationActions: ['Deny'] },
  );
}

function mutation(fault: string, expression: string): object[] {
  return policy(
    'Mutating',
    fault,
    {
      matchConstraints: { resourceRules: PODS, objectSelector: { matchLabels: { [LABEL]: fault } } },
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    },
    {},
  );
}

function policy(kind: 'Validating' | 'Mutating', name: string, spec: object, binding: object): object[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: `${kind}AdmissionPolicy`,
      metadata: { name },
      spec: { failurePolicy: 'Fail', ...spec },
    },
    {
      apiVersion,
      kind: `${kind}AdmissionPolicyBinding`,
      metadata: { name },
      spec: { policyName: name, ...binding },
    },
  ];
}

/** Policies take effect a moment after they are stored. */
async function enforced(rig: Rig, fault: string, answer: RegExp): Promise<void> {
  const probe = ['run', 'probe', '--image=registry.example/probe:1', '--dry-run=server', '-o', 'yaml'];
  for (const deadline = Date.now() + ENFORCED_WITHIN_MS; ; await wait(200)) {
    const said = await rig.ground.kubectl(...probe, `--labels=${LABEL}=${fault}`).catch(String);
    if (answer.test(said)) return;
    if (Date.now() > deadline) throw new Error(`${fault} is not in force: ${said}`);
  }
}

async function apply(rig: Rig, name: string, items: readonly object[]): Promise<void> {
  const file = path.join(rig.dir, `${name}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await rig.ground.kubectl('apply', '-f', file);
}
