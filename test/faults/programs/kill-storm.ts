/** Kills every part of the system, over and over, while jobs of all actions run on twelve lock keys. */
import { setTimeout as wait } from 'node:timers/promises';
import { openAudit, type Expectation } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import type { FaultPart } from '../rig/part.ts';
import { ACTIONS, type Rig, startRig } from '../rig/rig.ts';

const KEYS = 12;
const SETTLED_WITHIN_S = 60;

export const killStorm: Program = {
  name: 'kill-storm',
  summary:
    '300 jobs on 12 lock keys, 60 SIGKILLs over api, worker, apiserver, controller-manager, Temporal, Postgres',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const keys = Array.from({ length: amount(KEYS, 4) }, (_, at) => `storm-${at}`);
    await using rig = await startRig({ targets: keys.map((name) => ({ name })), say });
    using audit = openAudit(rig);
    const jobs = amount(300);
    const kills = amount(60);
    const victims = victimsOf(rig, kills, random);
    const expected: Expectation[] = [];

    let left = jobs;
    const lanes = Promise.all(
      keys.map(async (target) => {
        const chance = random.fork();
        while (left-- > 0) expected.push(await runOne(rig, target, chance));
      }),
    );
    // One kill for every so many jobs, so that the last one meets the last jobs.
    let killed = 0;
    const storm = (async () => {
      for (const victim of victims) {
        const due = (killed + 1) * (jobs / (kills + 1));
        while (jobs - Math.max(left, 0) < due) await wait(50);
        say(`kill ${killed + 1} of ${kills}: ${victim.name}; ${expected.length} of ${jobs} jobs have ended`);
        await victim.kill();
        await wait(random.integer(0, 2_000));
        await victim.start();
        killed += 1;
      }
    })();
    await storm;
    const lastKill = Date.now();
    await lanes;
    await untilQuiet(rig, SETTLED_WITHIN_S * 1000);
    const settled = (Date.now() - lastKill) / 1000;
    say('auditing');
    const { violations, statuses, pods } = await audit.take(expected);
    if (settled > SETTLED_WITHIN_S) violations.push(`settled ${settled.toFixed(1)} s after the last kill`);
    const byPart = Object.fromEntries(
      [...Map.groupBy(victims, ({ name }) => name)].map(([name, all]) => [name, all.length]),
    );
    return { n: expected.length, expected: jobs, violations, kills: killed, byPart, settled, statuses, pods };
  },
};

/** As many of each as of the others, in an order by chance. */
function victimsOf(rig: Rig, kills: number, random: Random): FaultPart[] {
  const { apiserver, scheduler, 'controller-manager': controllerManager } = rig.cluster.parts;
  const apiserverAlone: FaultPart = {
    ...apiserver,
    async start() {
      await apiserver.start();
      await scheduler.restart(); // Kubernetes' own: by itself it looks for an apiserver again a minute later
    },
  };
  const servers = [apiserverAlone, controllerManager, rig.temporalServer, rig.postgres];
  const parts = [...rig.apis, ...rig.workers, ...servers];
  const all = Array.from({ length: Math.ceil(kills / parts.length) }, () => random.shuffled(parts)).flat();
  return all.slice(0, kills);
}

/** Starts a job, sometimes a second one beside it, sometimes cancels it; waits until it has ended. */
async function runOne(rig: Rig, target: string, random: Random): Promise<Expectation> {
  const action = random.pick(ACTIONS);
  const seconds = random.integer(3, 20);
  const fails = action !== 'diff' && random.chance(0.1);
  const work = `--seconds ${seconds} --progress ${random.integer(0, 3)}${fails ? ' --exit 3' : ''}`;
  const options = action === 'diff' ? '' : work;
  const cancelAfter = random.chance(0.1) ? random.integer(0, seconds * 1000) : undefined;
  const rivals = random.chance(0.2);
  const id = await rig.api.started({ target, action, options });
  if (rivals) {
    const rival = await rig.api.start({ target, action: 'sync', options: `${work} --mute` });
    if (rival.status !== 409) throw new Error(`a rival of job ${id} was answered ${rival.status}`);
  }
  if (cancelAfter !== undefined) {
    await wait(cancelAfter);
    await rig.api.insist('DELETE', `/jobs/${id}`);
  }
  await rig.api.untilEnded(id);
  const end = fails ? 'failed:delete_guard' : 'completed';
  return { id, may: cancelAfter === undefined ? [end] : ['deleted', end] };
}
