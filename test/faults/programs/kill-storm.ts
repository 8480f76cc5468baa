/** Kills every part of the system, again and again, while jobs of all actions run on twelve lock keys. */
import { setTimeout as wait } from 'node:timers/promises';
import { openAudit, type Expectation } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { rouseControllers } from '../rig/controllers.ts';
import type { FaultPart } from '../rig/part.ts';
import { checkHooks, type Hook, hookJobs, itemBank, sendHook, untilServed } from '../rig/hooks.ts';
import { beginPauses } from '../rig/pauses.ts';
import { tooLate } from '../rig/busyness.ts';
import { ACTIONS, type Rig, startRig } from '../rig/rig.ts';

const KEYS = 12;
const SETTLED_WITHIN_S = 60;
/** The target of the hooks; nothing else requests it. */
const BANK = 'bank';

export const killStorm: Program = {
  name: 'kill-storm',
  summary: '300 jobs on 12 lock keys, hooks and pauses, 60 SIGKILLs over every part of the system',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const keys = Array.from({ length: amount(KEYS, 4) }, (_, at) => `storm-${at}`);
    await using rig = await startRig({
      targets: [...keys, BANK].map((name) => ({ name })),
      environment: itemBank(BANK),
      say,
    });
    using audit = openAudit(rig);
    const jobs = amount(300);
    const kills = amount(60);
    const victims = victimsOf(rig, kills, random);
    const expected: Expectation[] = [];

    const pauses = beginPauses(rig.api, random.fork());
    const hooks = beginHooks(rig, random.fork());
    let left = jobs;
    const lanes = Promise.all(
      keys.map(async (target) => {
        const chance = random.fork();
        while (left-- > 0) expected.push(...(await runOne(rig, target, chance)));
      }),
    );
    // One kill per so many jobs, so that the last kill meets the last jobs.
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
    const paused = await pauses.end();
    const sent = await hooks.end();
    await untilServed(rig);
    await untilQuiet(rig, SETTLED_WITHIN_S * 1000);
    const settled = (Date.now() - lastKill) / 1000;
    say('auditing');
    const ofHooks = (await hookJobs(rig)).map(({ id }) => ({ id, may: ['completed'] }));
    const busy = rig.busyness.factor(lastKill);
    const taken = await audit.take([...expected, ...ofHooks]);
    const { violations, statuses, pods } = taken;
    const checked = await checkHooks(rig, sent);
    violations.push(...checked.violations);
    const unsettled = taken.unsettled + checked.unsettled;
    const bound = { seconds: SETTLED_WITHIN_S, factor: busy };
    // Jobs that never settled are reported as such.
    const late = unsettled > 0 ? [] : tooLate('settling after the last kill took', settled, bound);
    const byPart = Object.fromEntries(
      [...Map.groupBy(victims, ({ name }) => name)].map(([name, all]) => [name, all.length]),
    );
    const beside = { hooks: sent.length, jobsOfHooks: ofHooks.length, pauses: paused };
    return {
      n: expected.length,
      expected: jobs,
      violations,
      late,
      unsettled,
      busy,
      kills: killed,
      byPart,
      settled,
      beside,
      statuses,
      pods,
    };
  },
};

/** As many of each part as of the others, in random order. */
function victimsOf(rig: Rig, kills: number, random: Random): FaultPart[] {
  const { apiserver, 'controller-manager': controllerManager } = rig.cluster.parts;
  const apiserverAlone: FaultPart = {
    name: apiserver.name,
    kill: () => apiserver.kill(),
    pause: () => apiserver.pause(),
    resume: () => apiserver.resume(),
    async start() {
      await apiserver.start();
      await rouseControllers(rig.cluster);
    },
  };
  const servers = [apiserverAlone, controllerManager, rig.temporalServer, rig.postgres];
  const parts = [...rig.apis, ...rig.workers, ...servers];
  const all = Array.from({ length: Math.ceil(kills / parts.length) }, () => random.shuffled(parts)).flat();
  return all.slice(0, kills);
}

/**
 * Starts a job, sometimes in a batch, sometimes with a rival beside it; sometimes cancels it; resumes it if it
 * failed.
 */
async function runOne(rig: Rig, target: string, random: Random): Promise<Expectation[]> {
  const action = random.pick(ACTIONS);
  const seconds = random.integer(3, 20);
  const fails = action !== 'diff' && random.chance(0.1);
  const work = `--seconds ${seconds} --progress ${random.integer(0, 3)}${fails ? ' --exit 3' : ''}`;
  const options = action === 'diff' ? '' : work;
  const cancelAfter = random.chance(0.1) ? random.integer(0, seconds * 1000) : undefined;
  const rivals = random.chance(0.2);
  const inBatch = !fails && random.chance(0.2);
  const id = inBatch
    ? await batchOfOne(rig, target, action)
    : await rig.api.started({ target, action, options });
  if (rivals) {
    const rival = await rig.api.start({ target, action: 'sync', options: `${work} --mute` });
    // A batch has no options: its job may have ended by then.
    if (rival.status !== 409 && !inBatch)
      throw new Error(`a rival of job ${id} was answered ${rival.status}`);
    if (rival.status === 202) {
      const rivalId = Number(rival.body['job_id']);
      await rig.api.untilEnded(rivalId);
      return [...(await ended(id)), { id: rivalId, may: ['completed'] }];
    }
  }
  return await ended(id);

  async function ended(job: number): Promise<Expectation[]> {
    if (cancelAfter !== undefined) {
      await wait(cancelAfter);
      await rig.api.insist('DELETE', `/jobs/${job}`);
    }
    const { status } = await rig.api.untilEnded(job);
    const end = fails ? 'failed:delete_guard' : 'completed';
    const one = { id: job, may: cancelAfter === undefined ? [end] : ['deleted', end] };
    if (status !== 'failed') return [one];
    const { body } = await rig.api.insist('POST', `/jobs/${job}/resume`);
    const resumed = Number(body['id']);
    await rig.api.untilEnded(resumed);
    return [one, { id: resumed, may: [end] }];
  }
}

/**
 * The same key again means the same batch, whatever the first answer was.
 * @throws Error if it is refused
 */
async function batchOfOne(rig: Rig, target: string, operation: string): Promise<number> {
  const { body } = await rig.api.insist('POST', '/jobs', {
    body: { jobs: [{ operation, target, env: 'dev' }] },
  });
  const [item] = body as unknown as { status: string; msg: string; job_id?: number }[];
  if (item?.job_id === undefined) throw new Error(`${target}: ${JSON.stringify(body)}`);
  return item.job_id;
}

/** Pushes to thirty projects of the item bank at random until stopped. */
function beginHooks(rig: Rig, random: Random): { end(): Promise<Hook[]> } {
  const stopped = new AbortController();
  const done = (async () => {
    const sent: Hook[] = [];
    while (!stopped.signal.aborted) {
      sent.push(await sendHook(rig.api, random.integer(1, 30)));
      await wait(random.integer(0, 3_000), undefined, { signal: stopped.signal }).catch(() => undefined);
    }
    return sent;
  })();
  return {
    end() {
      stopped.abort();
      return done;
    },
  };
}
