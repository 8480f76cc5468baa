/** Lost answers of the apiserver: to the creation of a Kubernetes Job, and to its removal. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '../../../src/runner/kubernetes/apiserver/client.ts';
import { createKubernetesRunner } from '../../../src/runner/kubernetes/runner.ts';
import type { Runner } from '../../../src/runner/runner.ts';
import { connectAsAdmin } from '../../support/connect-kubernetes.ts';
import type { KubernetesGround } from '../../support/kubernetes.ts';
import { launched, stepLaunch } from '../../support/step-launch.ts';
import type { Rig } from '../rig/rig.ts';
import type { Link } from '../rig/toxiproxy.ts';
import { type Lane, loseAnswer } from './cut.ts';

/** Its own namespace and installation: no worker knows of these steps. */
export type Place = {
  readonly rig: Rig;
  readonly ground: KubernetesGround;
  readonly installation: string;
  /** Bypasses all links. */
  readonly direct: Runner;
  readonly violations: string[];
};

/** Like the activity's retries: a failed launch is launched again. */
const TRIES = 5;

export function createLane(place: Place): Lane {
  return {
    name: 'Job create',
    full: 400,
    abreast: 4,
    open: (index) =>
      openRunner(place, `create-${index}`, async ({ link, runner, warm }) => {
        const { ground, violations } = place;
        const step = stepLaunch({ installation: place.installation, target: `create-${index}` });
        await warm();
        const exists = async () => (await ground.client.readJob(step.name)) !== undefined;
        const lost = await loseAnswer(link, () => runner.launch(step), exists);
        for (let left = TRIES; left > 0 && lost.result.status === 'rejected'; left--)
          lost.result = (await Promise.allSettled([runner.launch(step)]))[0];
        const real = await ground.client.readJob(step.name);
        const said = lost.result.status === 'fulfilled' ? lost.result.value : undefined;
        if (said?.kind !== 'launched' || said.uid !== real?.metadata.uid)
          violations.push(`create of ${step.name}: told ${JSON.stringify(said ?? lost.result)}`);
        if (real) await ground.client.deleteJob({ name: step.name, uid: real.metadata.uid, force: false });
        return lost.acted;
      }),
  };
}

export function deleteLane(place: Place): Lane {
  return {
    name: 'Job delete',
    full: 200,
    abreast: 6,
    open: (index) =>
      openRunner(place, `delete-${index}`, async ({ link, runner, warm }) => {
        const { ground, violations } = place;
        const step = stepLaunch({ installation: place.installation, target: `delete-${index}` });
        const { name, uid } = await launched(runner, step);
        await warm();
        const read = () => ground.client.readJob(name);
        const isGoing = async () =>
          (await read())?.metadata.deletionTimestamp !== undefined || !(await read());
        let successor: string | undefined;
        // Another object takes the name before the removal is repeated: it must not be touched.
        const replace = async () => {
          while (await read()) await wait(20);
          const direct = await launched(place.direct, {
            ...step,
            labels: { ...step.labels, jobUid: randomUUID() },
          });
          successor = direct.uid;
        };
        const lost = await loseAnswer(link, () => runner.remove({ name, uid, force: false }), isGoing, {
          before: replace,
        });
        if (lost.result.status === 'rejected') await runner.remove({ name, uid, force: false });
        const left = await read();
        if (
          lost.acted &&
          (left?.metadata.uid !== successor || left?.metadata.deletionTimestamp !== undefined)
        )
          violations.push(`delete of ${name} also deleted what had the name after it`);
        if (!lost.acted && left?.metadata.uid === uid && left.metadata.deletionTimestamp === undefined)
          violations.push(`delete of ${name} was said to be done, and it was not`);
        if (left) await ground.client.deleteJob({ name, uid: left.metadata.uid, force: false });
        return lost.acted;
      }),
  };
}

type Linked = { readonly link: Link; readonly runner: Runner; warm(): Promise<unknown> };

/** A runner whose calls use their own link. */
async function openRunner(place: Place, name: string, once: (linked: Linked) => Promise<boolean>) {
  const { rig, ground, installation } = place;
  const link = await rig.newLink(name, 'kubernetes');
  const connection = connectAsAdmin(rig.cluster, ground.namespace, link.port);
  const client = createClient(connection);
  const ended = new AbortController();
  const runner = createKubernetesRunner({
    client,
    installation,
    podOverrides: {},
    onTrouble: () => undefined,
    signal: ended.signal,
  });
  return {
    once: () => once({ link, runner, warm: () => client.readJob('none') }),
    async close() {
      ended.abort();
      await connection.close();
    },
  };
}
