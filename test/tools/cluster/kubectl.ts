/** Drives our cluster with its own kubectl, as a person would. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '../../../tools/cluster/cluster.ts';

export type Annotations = Readonly<Record<string, string>>;

/** The fields of a pod that tests read. */
export type Pod = {
  metadata: { name: string; deletionTimestamp?: string };
  status: {
    phase: string;
    reason?: string;
    conditions?: { type: string; status: string; reason?: string }[];
    containerStatuses?: {
      name: string;
      state: {
        waiting?: { reason: string; message?: string };
        running?: { startedAt: string };
        terminated?: { exitCode: number; reason: string; startedAt: string; finishedAt: string };
      };
    }[];
  };
};

export type Kubectl = {
  run(...args: string[]): Promise<string>;
  apply(object: object): Promise<void>;
  /** Undefined if no object has that name. */
  pod(name: string): Promise<Pod | undefined>;
  /** The `type`s of the Job's true conditions. */
  jobConditions(name: string): Promise<string[]>;
  /** The name of the Job's first pod. */
  podOf(job: string): Promise<string | undefined>;
};

export function kubectl(cluster: Cluster): Kubectl {
  const program = path.join(cluster.binDir, 'kubectl');
  const settings = { env: cluster.env, timeout: 30_000 };
  const run = async (...args: string[]) => (await promisify(execFile)(program, args, settings)).stdout;
  return {
    run,
    async apply(object) {
      const call = promisify(execFile)(program, ['apply', '-f', '-'], settings);
      call.child.stdin?.end(JSON.stringify(object));
      await call;
    },
    async pod(name) {
      const text = await run('get', 'pod', name, '--ignore-not-found', '-o', 'json');
      return text === '' ? undefined : (JSON.parse(text) as Pod);
    },
    async jobConditions(name) {
      const text = await run(
        'get',
        'job',
        name,
        '-o',
        'jsonpath={.status.conditions[?(@.status=="True")].type}',
      );
      return text.split(' ');
    },
    async podOf(job) {
      const text = await run(
        'get',
        'pods',
        '-l',
        `job-name=${job}`,
        '-o',
        'jsonpath={.items[*].metadata.name}',
      );
      return text.split(' ').find((name) => name !== '');
    },
  };
}

/** A pod with two containers; its annotations are given without prefix. */
export function podManifest(name: string, annotations: Annotations = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: prefixed(annotations) },
    spec: spec(),
  };
}

export function jobManifest(name: string, annotations: Annotations = {}): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      template: { metadata: { annotations: prefixed(annotations) }, spec: spec() },
    },
  };
}

function spec(): object {
  return {
    restartPolicy: 'Never',
    containers: [
      { name: 'main', image: 'registry.example/sync:1' },
      { name: 'beside', image: 'registry.example/beside:1' },
    ],
  };
}

function prefixed(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`kwok.syncrator/${name}`, value]),
  );
}
