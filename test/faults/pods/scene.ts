/** One job under a fault: what it shows, and the acts of those who interfere with it. */
import { setTimeout as wait } from 'node:timers/promises';
import { stepName } from '../../../src/domain/names.ts';
import { type FinalStatus, isFinal } from '../../../src/domain/status.ts';
import type { Shown } from '../rig/api-client.ts';
import type { Rig } from '../rig/rig.ts';

export type Scene = {
  readonly rig: Rig;
  readonly id: number;
  /** The job as last seen. */
  readonly shown: () => Shown;
  /** @throws Error if that never happens, or the job ended before */
  until(is: (shown: Shown) => boolean, what: string): Promise<Shown>;
  untilRunning(attempt?: number): Promise<Shown>;
  untilShown(reason: string): Promise<Shown>;
  /** Name of the pod of the newest attempt, once there is one. */
  pod(): Promise<string>;
  /** Name of the Kubernetes Job of an attempt of the first step, also of a future one. */
  jobName(attempt: number): string;
  /** Sets an annotation of the fake pod; null removes it. */
  annotate(name: string, value: string | null): Promise<void>;
};

const PATIENCE_MS = 150_000;
const LOOK_MS = 400;

/** @param see called with each state of the job, until it has ended or `until` fails */
export function watchScene(rig: Rig, id: number, see: (shown: Shown) => void) {
  let shown: Shown | undefined;
  const ended = (async (): Promise<{ status: FinalStatus } & Shown> => {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await wait(LOOK_MS)) {
      const seen = (await rig.api.insist('GET', `/jobs/${id}`)).body as unknown as Shown;
      shown = seen;
      see(seen);
      if (isFinal(seen.status)) return seen as { status: FinalStatus } & Shown;
    }
    throw new Error(`is still ${shown?.status} (${shown?.status_reason})`);
  })();
  const last = (): Shown => {
    if (!shown) throw new Error('was not seen yet');
    return shown;
  };
  const name = () => last().steps.at(-1)?.name ?? '';

  async function until(is: (shown: Shown) => boolean, what: string): Promise<Shown> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await wait(50)) {
      if (shown && is(shown)) return shown;
      if (shown && isFinal(shown.status)) break;
    }
    throw new Error(`never came to be ${what}: ${JSON.stringify(shown?.status)}`);
  }

  /** A running job shows its next attempt before that has a pod. */
  async function pod(): Promise<string> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await wait(100)) {
      const { items } = await rig.ground.client.listPods(`batch.kubernetes.io/job-name=${name()}`);
      const [found] = items;
      if (found) return found.metadata.name;
    }
    throw new Error(`${name()} has no pod`);
  }

  const scene: Scene = {
    rig,
    id,
    shown: last,
    until,
    pod,
    untilRunning: (attempt = 1) =>
      until((seen) => seen.status === 'running' && isUp(seen, attempt), `running as attempt ${attempt}`),
    untilShown: (reason) => until((seen) => seen.status_reason === reason, reason),
    jobName: (attempt) =>
      stepName({ uid: last().uid, step: 0, attempt, action: last().steps[0]?.action ?? '' }),
    async annotate(key, value) {
      const change = `kwok.syncrator/${key}${value === null ? '-' : `=${value}`}`;
      await rig.ground.kubectl('annotate', '--overwrite', 'pod', await pod(), change);
    },
  };
  return { scene, ended };
}

function isUp({ steps, status_reason: reason }: Shown, attempt: number): boolean {
  return steps.at(-1)?.attempt === attempt && reason === null;
}
