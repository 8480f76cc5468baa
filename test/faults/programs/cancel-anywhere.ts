/** Cancels jobs at any moment of their lives: with live workers, with killed workers, and with pods that do not end. */
import { setTimeout as wait } from 'node:timers/promises';
import { type AuditResult, openAudit } from '../audit/audit.ts';
import { quantile } from '../audit/quantile.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { tooLate } from '../rig/busyness.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const LANES = 12;
/** Further lanes, whose pods run on for this long after SIGTERM. */
const STUBBORN_LANES = 4;
const GRACE_S = 8;
/** Duration of an uncancelled job. */
const LIFE_MS = 4_500;
const BEGUN_WITHIN_S = 2;

type Cancel = {
  readonly id: number;
  /** Time of the request, in milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'alive' | 'killed' | 'stubborn';
};

export const cancelAnywhere: Program = {
  name: 'cancel-anywhere',
  summary: '500 cancels at any moment, 100 with the workers killed, 50 of pods that ignore SIGTERM',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const named = (name: string, count: number, more = '') =>
      Array.from({ length: count }, (_, at) => ({ name: `${name}-${at}`, more }));
    const lanes = named('cancel', LANES);
    const stubbornPod = { annotations: { 'kwok.syncrator/delete-after': `${GRACE_S}s` } };
    const stubborn = named('stubborn', STUBBORN_LANES, `POD_OVERRIDES=${JSON.stringify(stubbornPod)}\n`);
    await using rig = await startRig({ targets: [...lanes, ...stubborn], say });
    using audit = openAudit(rig);
    const counts = { alive: amount(350), stubborn: amount(50), killed: amount(100) };

    const cancels: Cancel[] = [];
    const shared = async (kind: Cancel['kind'], targets: readonly { name: string }[], count: number) => {
      let left = count;
      const lane = async ({ name }: { name: string }, chance: Random) => {
        while (left-- > 0) cancels.push(await cancelOne(rig, name, kind, chance));
      };
      await Promise.all(targets.map((target) => lane(target, random.fork())));
      say(`${count} cancels, ${kind}: done`);
    };
    await Promise.all([shared('alive', lanes, counts.alive), shared('stubborn', stubborn, counts.stubborn)]);
    let ended = false;
    const kills = killWorkers(rig, random.fork(), () => ended);
    await shared('killed', lanes, counts.killed);
    ended = true;
    const killed = await kills;

    await untilQuiet(rig, 60_000);
    say('auditing');
    const taken = await audit.take(cancels.map(({ id }) => ({ id, may: ['deleted', 'completed'] })));
    const { violations, unsettled, statuses } = taken;
    const times = await measure(rig, taken, cancels);
    // With fewer samples a p99 is merely the slowest one, so the median is judged.
    const judged = times.begun.length >= 100 ? 0.99 : 0.5;
    const begun = quantile(times.begun, judged);
    const done = quantile(times.done, judged);
    const busy = rig.busyness.factor();
    const late = [
      ...tooLate(`p${judged * 100} of the deletion's begin is`, begun / 1000, {
        seconds: BEGUN_WITHIN_S,
        factor: busy,
      }),
      ...tooLate(`p${judged * 100} of the cancel's end is`, done / 1000, {
        seconds: GRACE_S + 10,
        factor: busy,
      }),
    ];
    return {
      n: cancels.length,
      expected: counts.alive + counts.stubborn + counts.killed,
      violations,
      late,
      unsettled,
      busy,
      kills: killed,
      // Cancels that found something to delete, with live workers; milliseconds.
      measured: times.begun.length,
      begun: summary(times.begun),
      done: summary(times.done),
      statuses,
    };
  },
};

async function cancelOne(rig: Rig, target: string, kind: Cancel['kind'], random: Random): Promise<Cancel> {
  const at = Date.now() + random.number() * LIFE_MS;
  const id = await rig.api.started({ target, action: 'sync', options: '--seconds 2' });
  await wait(Math.max(0, at - Date.now()));
  const asked = Date.now();
  const cancelled = await rig.api.insist('DELETE', `/jobs/${id}`);
  if (cancelled.status >= 300) throw new Error(`cancel of ${id}: ${cancelled.status}`);
  await rig.api.untilEnded(id);
  return { id, at: asked, kind };
}

/** Kills both at once, so that no worker is left, until the cancels are done. */
async function killWorkers(rig: Rig, random: Random, ended: () => boolean): Promise<number> {
  let kills = 0;
  while (!ended()) {
    await wait(random.integer(500, 4_000));
    await Promise.all(rig.workers.map((worker) => worker.kill()));
    kills += rig.workers.length;
    await wait(random.integer(0, 1_000));
    await Promise.all(rig.workers.map((worker) => worker.start()));
  }
  return kills;
}

/** Time from the request to the deletion of a Kubernetes Job that still had work to stop, and to the job's end. */
async function measure(rig: Rig, { jobLives, clock, changes }: AuditResult, cancels: readonly Cancel[]) {
  const rows = await rig.db.selectFrom('jobs').select(['id', 'uid']).execute();
  const uids = new Map(rows.map(({ id, uid }) => [id, uid]));
  const ends = new Map(changes.map(({ jobId, status, at }) => [jobId, { status, at: at.getTime() }]));
  const begun: number[] = [];
  const done: number[] = [];
  for (const { id, at, kind } of cancels) {
    const end = ends.get(id);
    if (kind === 'killed' || end?.status !== 'deleted') continue;
    done.push(Math.max(0, end.at - at));
    for (const life of jobLives)
      if (life.jobUid === uids.get(id) && life.deletionFrom !== undefined && clock(life.to).to > at)
        begun.push(Math.max(0, clock(life.deletionFrom).to - at));
  }
  return { begun, done };
}

function summary(times: readonly number[]) {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), longest: Math.max(0, ...times) };
}
