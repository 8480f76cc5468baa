/**
 * Drops the answers to calls that the server acted on: nothing may be done twice, and nothing may be reported as
 * failed.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createKubernetesGround } from '../../support/kubernetes.ts';
import { openAudit } from '../audit/audit.ts';
import { openEtcd } from '../audit/etcd.ts';
import { JOBS, livesOf, PODS } from '../audit/lives.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Lane } from '../lost-answers/cut.ts';
import { createLane, deleteLane, type Place } from '../lost-answers/kubernetes-lanes.ts';
import { commitLane, temporalLane } from '../lost-answers/submit-lanes.ts';
import type { Program, Run } from '../program.ts';
import { startRig } from '../rig/rig.ts';

export const lostAnswers: Program = {
  name: 'lost-answers',
  summary: '1,000 calls whose answer is lost: Job create and delete, Temporal start, COMMIT',
  async run(run) {
    await using rig = await startRig({ targets: [{ name: 'none' }], say: run.say });
    using audit = openAudit(rig);
    const kubectl = path.join(rig.cluster.binDir, 'kubectl');
    const ground = await createKubernetesGround({ ...rig.cluster, kubectl }, { actor: false });
    await using undo = new AsyncDisposableStack();
    undo.defer(() => ground.dispose());
    const installation = randomUUID();
    const violations: string[] = [];
    const accepted = new Set<number>();
    const place = { rig, ground, installation, direct: ground.runner(installation), violations };
    const lanes = [
      createLane(place),
      deleteLane(place),
      temporalLane({ rig, violations, accepted }),
      commitLane({ rig, violations, accepted }),
    ];
    const done = await Promise.all(lanes.map((lane) => runLane(lane, run)));
    run.say('waiting for the jobs that were started');
    await untilQuiet(rig, 60_000);
    const taken = await audit.take([...accepted].map((id) => ({ id, may: ['completed'] })));
    violations.push(...taken.violations, ...(await checkOnce(place)));
    return {
      n: done.reduce((sum, { lost }) => sum + lost, 0),
      expected: done.reduce((sum, { wanted }) => sum + wanted, 0),
      violations,
      unsettled: taken.unsettled,
      busy: rig.busyness.factor(),
      // Calls that never reached the server prove nothing.
      lost: Object.fromEntries(done.map(({ name, lost }) => [name, lost])),
      notReached: done.reduce((sum, { missed }) => sum + missed, 0),
      statuses: taken.statuses,
    };
  },
};

async function runLane(lane: Lane, { amount, say }: Run) {
  const wanted = amount(lane.full);
  let [lost, missed, underWay] = [0, 0, 0];
  const abreast = async (_: unknown, index: number) => {
    const { once, close } = await lane.open(index);
    while (lost + underWay < wanted) {
      underWay += 1;
      const acted = await once();
      underWay -= 1;
      if (acted) {
        lost += 1;
        if (lost % 50 === 0) say(`${lane.name}: ${lost} of ${wanted}`);
      } else {
        missed += 1;
        // Unsolicited data of the server, such as a window update, cuts the link before the request arrives.
        if (missed > 4 * wanted) throw new Error(`${lane.name}: hardly any cut comes in time`);
      }
    }
    await close();
  };
  await Promise.all(Array.from({ length: lane.abreast }, abreast));
  say(`${lane.name}: ${lost} of ${wanted}, ${missed} did not reach the server`);
  return { name: lane.name, wanted, lost, missed };
}

/** Checks that each create made one Kubernetes Job and one pod, by etcd's history. */
async function checkOnce({ rig, ground }: Place): Promise<string[]> {
  const prefixes = [JOBS, PODS].map((prefix) => `${prefix}${ground.namespace}/`);
  const { writes } = await openEtcd(rig.cluster.etcdUrl).history(prefixes);
  const lives = [...livesOf(writes, JOBS), ...livesOf(writes, PODS)];
  const created = lives.filter(({ lockKey }) => lockKey.startsWith('dev/create-'));
  const isPod = ({ name, stepName }: { name: string; stepName: string }) => name !== stepName;
  return [...Map.groupBy(created, (life) => `${life.stepName} ${isPod(life) ? 'pods' : 'Jobs'}`)].flatMap(
    ([what, all]) => (all.length > 1 ? [`create: ${all.length} ${what}`] : []),
  );
}
