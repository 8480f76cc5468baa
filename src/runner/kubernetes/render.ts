/** Renders the manifest of a step's Kubernetes Job. Pure; launch and dry run use this same function. */
import type { V1Job, V1PodSecurityContext, V1PodSpec } from '@kubernetes/client-node';
import type { PodOverrides, StepSpec } from '../../domain/job.ts';
import type { StepLabels } from '../../domain/names.ts';
import { programArguments, programEnvironment, secretEnvironment } from '../program.ts';
import { annotationsOf, labelsOf } from './labels.ts';
import { CONTAINER } from './apiserver/types.ts';

/** V1Job as a plain object; the library's is a class. */
export type JobManifest = { [Field in keyof V1Job]: V1Job[Field] };

export type RenderInput = {
  readonly name: string;
  readonly labels: StepLabels;
  readonly originUid: string;
  readonly spec: StepSpec;
  /** Value of the program's argument --api_job_id. */
  readonly jobId: number | 'dryrun';
  readonly reportUrl: string;
  readonly traceparent: string | null;
  /** The only secret in the manifest; valid for the reports of this attempt alone. */
  readonly reportToken: string;
  readonly checkpoint: string | undefined;
  /** Overrides of the installation; the step's own take precedence, per entry in maps. */
  readonly podOverrides: PodOverrides;
};

/** One day: Kubernetes deletes the Job then if we have not. */
const TTL_SECONDS = 24 * 3600;
const GRACE_SECONDS = 30;
const CPU = '500m';
const MEMORY = '512Mi';

/** Keeps autoscalers from evicting the pod: an evicted run cannot be resumed where it stopped. */
const STAYS = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
};

/** Name of the ConfigMap and the Secret with the settings of source and sink, as a DNS label. */
export function settingsName(key: { env: string; target: string }): string {
  return `syncrator-envtarget-${key.env}-${key.target}`.replaceAll('_', '-');
}

/** Renders a Job with exactly one pod: a retry is another Job, and our decision, not Kubernetes'. */
export function renderJob(input: RenderInput): JobManifest {
  const { name, spec } = input;
  const overrides = merge(input.podOverrides, spec.podOverrides ?? {});
  const labels = labelsOf(input.labels);
  const annotations = annotationsOf(input.labels);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels, annotations },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: spec.startTimeoutSeconds + spec.timeoutSeconds,
      ttlSecondsAfterFinished: TTL_SECONDS,
      template: {
        metadata: {
          labels: { ...overrides.labels, ...labels },
          annotations: { ...STAYS, ...overrides.annotations, ...annotations },
        },
        spec: podSpec(input, overrides),
      },
    },
  };
}

function merge(installation: PodOverrides, own: PodOverrides): PodOverrides {
  const merged = { ...installation, ...own };
  for (const map of ['annotations', 'labels', 'nodeSelector'] as const)
    if (merged[map]) merged[map] = { ...installation[map], ...own[map] };
  return merged;
}

/** Escapes `$` as `$$`, since Kubernetes expands `$(NAME)` in commands, arguments and values. */
function literal(text: string): string {
  return text.replaceAll('$', () => '$$');
}

function podSpec(input: RenderInput, overrides: PodOverrides): V1PodSpec {
  const { labels, spec } = input;
  const settings = settingsName(labels);
  const resources = { cpu: spec.cpu ?? CPU, memory: spec.memory ?? MEMORY };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: GRACE_SECONDS,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...scheduling(overrides),
    // Required by the `restricted` Pod Security Standard.
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...security(overrides),
    },
    volumes: [{ name: 'tmp', emptyDir: {} }],
    containers: [
      {
        name: CONTAINER,
        image: spec.image,
        command: (spec.command ?? ['syncrator-job']).map(literal),
        args: programArguments(spec, input.jobId).map(literal),
        env: environment(input),
        // Optional: the program itself reports a missing setting by name.
        envFrom: [
          { configMapRef: { name: settings, optional: true } },
          { secretRef: { name: settings, optional: true } },
        ],
        resources: { requests: resources, limits: resources },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: overrides.readOnlyRootFilesystem ?? true,
        },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        // The diagnosis quotes the last lines of the output.
        terminationMessagePolicy: 'FallbackToLogsOnError',
      },
    ],
  };
}

type PodSecurity = Pick<V1PodSecurityContext, 'runAsUser' | 'supplementalGroups' | 'seLinuxOptions'>;

function security(overrides: PodOverrides): Partial<PodSecurity> {
  const { runAsUser, supplementalGroups, seLinuxOptions } = overrides;
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(supplementalGroups === undefined ? {} : { supplementalGroups: [...supplementalGroups] }),
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions }),
  };
}

function scheduling(overrides: PodOverrides): Partial<V1PodSpec> {
  const { nodeSelector, tolerations, priorityClassName, serviceAccountName, imagePullSecrets } = overrides;
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(imagePullSecrets === undefined
      ? {}
      : { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }),
  };
}

function environment(input: RenderInput): { name: string; value: string }[] {
  const values = {
    ...programEnvironment(input),
    ...secretEnvironment(input),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value: literal(value) }));
}
