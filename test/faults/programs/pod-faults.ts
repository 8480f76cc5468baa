/** Causes every fault of a pod, again and again: each job must end rightly, with the right diagnosis, in time. */
import { openAudit, type Expectation } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import { LABEL, layDownRules } from '../pods/cluster-rules.ts';
import { CONTAINER_FAULTS } from '../pods/containers.ts';
import type { Fault } from '../pods/fault.ts';
import { OUTSIDE_FAULTS } from '../pods/outside.ts';
import { watchScene } from '../pods/scene.ts';
import type { Shown } from '../rig/api-client.ts';
import { WAITS } from '../pods/waits.ts';
import type { Program } from '../program.ts';
import { createRandom } from '../random.ts';
import { tooLate } from '../rig/busyness.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const FAULTS = [...CONTAINER_FAULTS, ...WAITS, ...OUTSIDE_FAULTS];
const TIMES = 5;
/** More at once would make the cluster too slow on two cores. */
const AT_ONCE = 14;
/** Outlasts every fault. */
const WORK = '--seconds 600';

export const podFaults: Program = {
  name: 'pod-faults',
  summary: `${FAULTS.length} faults of pods, ${TIMES} times each: the right end, diagnosis and time, nothing left`,
  async run({ seed, scale, amount, say }) {
    const random = createRandom(seed);
    const times = amount(TIMES);
    const targets = FAULTS.flatMap((fault) =>
      Array.from({ length: times }, (_, at) => ({ name: `${fault.name}-${at}`, more: linesOf(fault) })),
    );
    await using rig = await startRig({ targets, forceDelete: true, say });
    using audit = openAudit(rig);
    await layDownRules(rig);
    // The scaled-down run may share the machine: only the full one claims the times.
    const patience = scale < 1 ? 2 : 1;
    const expected: Expectation[] = [];
    const violations: string[] = [];
    const late: string[] = [];
    const slowest: Record<string, number> = {};

    const once = async (fault: Fault, at: number) => {
      const { expectation, seconds, wrong, slow } = await runOne(rig, fault, `${fault.name}-${at}`, patience);
      expected.push(expectation);
      const named = (what: string) => `${fault.name} (job ${expectation.id}) ${what}`;
      violations.push(...wrong.map(named));
      late.push(...slow.map(named));
      slowest[fault.name] = Math.max(slowest[fault.name] ?? 0, seconds);
      say(
        `${expected.length} of ${targets.length}: ${fault.name} after ${seconds} s${wrong.length > 0 ? ', WRONG' : slow.length > 0 ? ', LATE' : ''}`,
      );
    };
    const repetitions = Array.from({ length: times }, (_, at) => at);
    // The slowest first, so that little is left at the end.
    const together = random
      .shuffled(FAULTS.filter(({ alone }) => !alone))
      .toSorted((a, b) => a.end.within - b.end.within);
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let fault = together.pop(); fault; fault = together.pop())
          for (const at of repetitions) await once(fault, at);
      }),
    );
    for (const fault of random.shuffled(FAULTS)) {
      if (!fault.alone) continue;
      await fault.alone.begin({ rig });
      await Promise.all(repetitions.map((at) => once(fault, at)));
      await fault.alone.end({ rig });
    }
    await untilQuiet(rig, 60_000);
    say('auditing');
    const audited = await audit.take(expected);
    violations.push(...audited.violations);
    const { statuses, pods } = audited;
    return {
      n: expected.length,
      expected: targets.length,
      violations,
      late,
      unsettled: audited.unsettled,
      busy: rig.busyness.factor(),
      faults: FAULTS.length,
      slowest,
      statuses,
      pods,
    };
  },
};

function linesOf({ name, pod = {}, overrides = {}, lines = '' }: Fault): string {
  const annotations = Object.fromEntries(
    Object.entries(pod).map(([key, value]) => [`kwok.syncrator/${key}`, value]),
  );
  return `POD_OVERRIDES=${JSON.stringify({ ...overrides, annotations, labels: { [LABEL]: name } })}\n${lines}`;
}

/** Starts a job, lets others interfere, and judges everything that it shows until it has ended. */
async function runOne(rig: Rig, fault: Fault, target: string, patience: number) {
  const began = Date.now();
  const id = await rig.api.started({ target, action: 'sync', options: fault.options ?? WORK });
  const seconds = () => Math.round((Date.now() - began) / 100) / 10;
  const wrong: string[] = [];
  let shownAfter: number | undefined;
  const { scene, ended } = watchScene(rig, id, (shown) => {
    if (fault.shows && isShown(shown, fault.shows)) shownAfter ??= seconds();
  });
  const meddled = fault.meddle?.(scene).catch((error: unknown) => {
    wrong.push(error instanceof Error ? error.message : String(error));
  });
  const last = await ended.catch((error: unknown) => {
    wrong.push(error instanceof Error ? error.message : String(error));
    return undefined;
  });
  const took = seconds();
  await meddled;
  const bound = (seconds: number) => ({ seconds, factor: patience * rig.busyness.factor(began) });
  if (fault.shows && shownAfter === undefined) wrong.push(`never showed ${fault.shows.reason}`);
  if (last) wrong.push(...judgeEnd(last, fault.end));
  const slow = [
    ...(fault.shows && shownAfter !== undefined
      ? tooLate(`showed ${fault.shows.reason} after`, shownAfter, bound(fault.shows.within))
      : []),
    ...(last ? tooLate('ended after', took, bound(fault.end.within)) : []),
  ];
  return { expectation: { id, may: [fault.end.as] }, seconds: took, wrong, slow };
}

function isShown(shown: Shown, { reason, words }: NonNullable<Fault['shows']>): boolean {
  if (reason === 'stalled') return shown.status === 'running' && shown.stalled;
  return shown.status_reason === reason && (words?.test(shown.status_detail ?? '') ?? true);
}

/** The audit judges its status and its diagnosis. */
function judgeEnd({ diagnosis, steps }: Shown, end: Fault['end']): string[] {
  const said = `${diagnosis?.detail}\n${diagnosis?.what_to_do}`;
  const attempts = steps.length;
  return [
    ...(end.words && !end.words.test(said) ? [`says ${JSON.stringify(said)}, not ${end.words}`] : []),
    ...(attempts === (end.attempts ?? 1) ? [] : [`took ${attempts} attempts, not ${end.attempts ?? 1}`]),
  ];
}
