/**
 * Takes each server down in turn for a minute under 50 live jobs: no job may fail, no call may hang, and all must
 * be right soon after.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { openAudit } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import { untilKubernetesIsRight } from '../outages/kubernetes-right.ts';
import { createLoad, type Load, type LoadSize, targetsOf } from '../outages/load.ts';
import { type Prober, startProber } from '../outages/prober.ts';
import { endedJob, untilRight } from '../outages/right.ts';
import type { Program, Run } from '../program.ts';
import { createRandom } from '../random.ts';
import { rouseControllers } from '../rig/controllers.ts';
import type { FaultPart } from '../rig/part.ts';
import { tooLate } from '../rig/busyness.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const OUTAGE_S = 60;
const RIGHT_WITHIN_S = 30;
/** Row 55 of the design's faults: time until Postgres is usable after its return. */
const POSTGRES_BACK_MS = 5_000;

type Outage = {
  readonly name: string;
  readonly parts: readonly FaultPart[];
};

export const outagesDown: Program = {
  name: 'outages-down',
  summary:
    'apiserver, Temporal, Postgres, workers killed for 60 s each under 50 live jobs: nothing fails or hangs',
  run: (run) =>
    goThrough(run, {
      begin: (part) => part.kill(),
      end: (part) => part.start(),
    }),
};

export const outagesStopped: Program = {
  name: 'outages-stopped',
  summary: 'the same, each stopped by SIGSTOP for 60 s',
  run: (run) =>
    goThrough(run, {
      begin: async (part) => part.pause(),
      end: async (part) => part.resume(),
    }),
};

type Way = { begin(part: FaultPart): Promise<void>; end(part: FaultPart): Promise<void> };

async function goThrough({ seed, amount, say }: Run, way: Way) {
  const random = createRandom(seed);
  const seconds = amount(OUTAGE_S, 6);
  const size: LoadSize = {
    long: amount(20, 2),
    ending: amount(20, 2),
    cancelled: amount(10),
    late: amount(10, 2),
  };
  const targets = [...targetsOf(size), 'over'].map((name) => ({ name }));
  await using rig = await startRig({ targets, say });
  using audit = openAudit(rig);
  const over = await endedJob(rig);
  const load = await createLoad(rig, size, random);
  load.expected.push({ id: over, may: ['completed'] });
  const violations: string[] = [];
  const late: string[] = [];
  const figures: Record<string, object> = {};

  {
    await using prober = startProber(rig, { running: load.long, ended: over, start: () => load.startLate() });
    for (const outage of outagesOf(rig)) {
      await load.fillUp();
      say(`${outage.name} is out`);
      const { took, kubernetes } = await sitOut(rig, { outage, seconds, way, load, prober });
      const { violations: seen, late: slow, ...told } = prober.report();
      violations.push(...seen.map((what) => `${outage.name}: ${what}`));
      late.push(...slow.map((what) => `${outage.name}: ${what}`));
      const bound = {
        seconds: RIGHT_WITHIN_S,
        factor: rig.busyness.factor(Date.now() - took.seconds * 1000),
      };
      const last = took.last.join(', ');
      late.push(...tooLate(`${outage.name}: right again (last ${last}) after`, took.seconds, bound));
      figures[outage.name] = {
        right_s: took.seconds,
        ...(kubernetes !== undefined && { kubernetes_s: kubernetes }),
        ...told,
      };
      say(`${outage.name}: right ${took.seconds} s after its return; ${JSON.stringify(told)}`);
    }
    await load.cancelLong();
  }
  await untilQuiet(rig, 120_000);
  say('auditing');
  const audited = await audit.take(load.expected);
  violations.push(...audited.violations);
  const live = size.long + size.ending + size.cancelled;
  const outages = Object.keys(figures).length;
  const n = load.expected.length;
  const expected = 1 + size.long + outages * (size.ending + size.cancelled + size.late);
  const { unsettled, statuses } = audited;
  const broken = { violations, late, unsettled };
  return {
    n,
    expected,
    ...broken,
    busy: rig.busyness.factor(),
    live,
    outage_s: seconds,
    ...figures,
    statuses,
  };
}

function outagesOf(rig: Rig): Outage[] {
  return [
    { name: 'apiserver', parts: [rig.cluster.parts.apiserver] },
    { name: 'temporal', parts: [rig.temporalServer] },
    { name: 'postgres', parts: [rig.postgres] },
    { name: 'workers', parts: rig.workers },
  ];
}

type Through = { outage: Outage; seconds: number; way: Way; load: Load; prober: Prober };

/** One outage, and the time until all is right after it. */
async function sitOut(rig: Rig, { outage, seconds, way, load, prober }: Through) {
  const isPostgres = outage.name === 'postgres';
  if (isPostgres) prober.expectReads(false);
  await Promise.all(outage.parts.map((part) => way.begin(part)));
  const going = load.goOn(seconds);
  await wait(seconds * 1000);
  await Promise.all(outage.parts.map((part) => way.end(part)));
  const returned = Date.now();
  let from = returned;
  let kubernetes: number | undefined;
  if (outage.name === 'apiserver') {
    await rouseControllers(rig.cluster);
    await untilKubernetesIsRight(rig, load.endingTargets);
    from = Date.now();
    kubernetes = secondsSince(returned);
  }
  if (isPostgres) void wait(POSTGRES_BACK_MS).then(() => prober.expectReads(true));
  await going;
  await load.endLate();
  return { took: await untilRight(rig, load, from), kubernetes };
}

function secondsSince(time: number): number {
  return Math.round((Date.now() - time) / 100) / 10;
}
