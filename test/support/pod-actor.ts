/**
 * Plays the programs in the fake pods of a namespace: for each started pod it runs play.ts with the arguments and
 * the report token of the pod's own manifest, and ends the pod with the exit code. Its output becomes the pod's
 * log.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { readFileSync } from 'node:fs';
import type { KubernetesClient } from '../../src/runner/kubernetes/apiserver/client.ts';
import { CONTAINER, type Pod } from '../../src/runner/kubernetes/apiserver/types.ts';
import type { ProvidedCluster } from './cluster-setup.ts';
import { play } from './programs/play.ts';

export type Actor = {
  /** Every pod that ever started, by its Job's name, with the time when its start was seen. */
  readonly started: ReadonlyMap<string, number>;
  stop(): Promise<void>;
};

/** A pod as the apiserver sends it, with fields that the runner does not read. */
type FullPod = Omit<Pod, 'spec'> & {
  readonly spec?: {
    readonly containers?: readonly {
      readonly name: string;
      readonly args?: readonly string[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
};

const END_WITHIN_MS = 300_000;
const EVERY_POD = 'app.kubernetes.io/managed-by=syncrator';

export async function startActor(
  cluster: ProvidedCluster,
  options: { namespace: string; client: KubernetesClient; play: boolean },
): Promise<Actor> {
  const { namespace, client } = options;
  const stopped = new AbortController();
  const agent = new Agent({ connect: { ca: readFileSync(cluster.caFile) } });
  const started = new Map<string, number>();
  const playing = new Map<string, AbortController>();
  const running = options.play ? watchPods() : Promise.resolve();
  return {
    started,
    async stop() {
      stopped.abort();
      for (const told of playing.values()) told.abort();
      await running;
      await agent.close();
    },
  };

  async function watchPods(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const list = await client.listPods(EVERY_POD);
        for (const pod of list.items) look(pod);
        let version = list.metadata.resourceVersion;
        for (;;) {
          for await (const event of client.watch<Pod>('pods', EVERY_POD, version, stopped.signal)) {
            version = event.object.metadata.resourceVersion;
            if (event.type !== 'BOOKMARK') look(event.object);
          }
        }
      } catch {
        await wait(200); // a test restarts the apiserver: list again
      }
    }
  }

  function look(pod: FullPod): void {
    const { uid, deletionTimestamp, labels = {} } = pod.metadata;
    const known = playing.get(uid);
    if (deletionTimestamp !== undefined) known?.abort();
    if (known || pod.status?.phase !== 'Running') return;
    started.set(labels['batch.kubernetes.io/job-name'] ?? '', Date.now());
    const told = new AbortController();
    playing.set(uid, told);
    void perform(pod, told.signal);
  }

  async function perform(pod: FullPod, told: AbortSignal): Promise<void> {
    const container = pod.spec?.containers?.find(({ name }) => name === CONTAINER);
    const environment = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    const code = await play({
      args: container?.args ?? [],
      environment,
      told,
      print: (line) => log(pod.metadata.name, line),
    });
    if (!stopped.signal.aborted) await end(pod.metadata.name, code);
  }

  function log(pod: string, lines: string): void {
    const file = path.join(path.dirname(cluster.kubeconfig), 'pod-logs', namespace, pod, `${CONTAINER}.log`);
    mkdirSync(path.dirname(file), { recursive: true });
    const now = `${new Date().toISOString().slice(0, -1)}000000Z`;
    appendFileSync(
      file,
      lines
        .split('\n')
        .map((line) => `${now} stdout F ${line}\n`)
        .join(''),
    );
  }

  /**
   * Our kwok stage ends the pod with this code. The pod may be gone already, and the apiserver may be away for
   * minutes.
   */
  async function end(pod: string, code: number): Promise<void> {
    for (const deadline = Date.now() + END_WITHIN_MS; Date.now() < deadline && !stopped.signal.aborted; ) {
      try {
        const answer = await request(`${cluster.server}/api/v1/namespaces/${namespace}/pods/${pod}`, {
          method: 'PATCH',
          dispatcher: agent,
          headers: {
            authorization: `Bearer ${cluster.token}`,
            'content-type': 'application/merge-patch+json',
          },
          body: JSON.stringify({ metadata: { annotations: { 'kwok.syncrator/exit-code': String(code) } } }),
          signal: AbortSignal.timeout(5_000),
        });
        await answer.body.dump();
        if (answer.statusCode < 500 && answer.statusCode !== 429) return;
      } catch {
        // The apiserver is away: the pod ends once it is back, as a real pod's status would.
      }
      await wait(200);
    }
  }
}
