/** The manifest of a step's Kubernetes Job: pure, used by the launch and by the dry run alike, so that the dry run cannot lie. */
import type { V1Job, V1PodSpec } from '@kubernetes/client-node';
import type { PodOverrides, StepSpec } from '../../domain/job.ts';
import type { StepLabels } from '../../domain/names.ts';
import { programArguments, programEnvironment, secretEnvironment } from '../program.ts';
import { annotationsOf, labelsOf } from './labels.ts';
import { CONTAINER } from './objects.ts';

/** A plain object, where the library has a class. */
export type JobManifest = { [Field in keyof V1Job]: V1Job[Field] };

export type RenderInput = {
  readonly name: string;
  readonly labels: StepLabels;
  readonly spec: StepSpec;
  /** What the program is told as its number. */
  readonly jobId: number | 'dryrun';
  readonly reportUrl: string;
  readonly traceparent: string | null;
  /** The one literal in a manifest that is worth something: this one attempt's reports. */
  readonly reportToken: string;
  readonly checkpoint: string | undefined;
  /** Of the whole installation; the step's own win, entry by entry where it is a map. */
  readonly podOverrides: PodOverrides;
};

/** A day: the last net under our own deletion. */
const TTL_SECONDS = 24 * 3600;
const GRACE_SECONDS = 30;
const CPU = '500m';
const MEMORY = '512Mi';

/** ConfigMap and Secret of this name hold the settings of source and sink; the predecessor's name, as a DNS label. */
export function settingsName(key: { env: string; target: string }): string {
  return `syncrator-envtarget-${key.env}-${key.target}`.replaceAll('_', '-');
}

/** One pod, never a second one: another attempt is another Job, and ours to decide (faults.md row 5). */
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
          annotations: { ...overrides.annotations, ...annotations },
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

/** Kubernetes replaces `$(NAME)` in commands, arguments and values by the container's variables; `$$` is its `$`. */
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
    // What the `restricted` Pod Security Standard asks for.
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...(overrides.runAsUser === undefined ? {} : { runAsUser: overrides.runAsUser }),
    },
    volumes: [{ name: 'tmp', emptyDir: {} }],
    containers: [
      {
        name: CONTAINER,
        image: spec.image,
        command: (spec.command ?? ['syncrator-job']).map(literal),
        args: programArguments(spec, input.jobId).map(literal),
        env: environment(input),
        // Optional: the program itself names the setting that it lacks.
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
        // The last lines of its output become part of the diagnosis.
        terminationMessagePolicy: 'FallbackToLogsOnError',
      },
    ],
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
    ...programEnvironment({ ...input, key: input.labels }),
    ...secretEnvironment(input),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value: literal(value) }));
}
