/**
 * Replaces every api and worker, again and again, under 50 live jobs: no job may fail, no pod may be touched, no
 * call may be lost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readLabels } from '../../../src/runner/kubernetes/labels.ts';
import { openAudit } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import { createLoad, type LoadSize, targetsOf } from '../outages/load.ts';
import { startProber } from '../outages/prober.ts';
import { endedJob, untilRight } from '../outages/right.ts';
import type { Program } from '../program.ts';
import { createRandom } from '../random.ts';
import { tooLate } from '../rig/busyness.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import { checkOut } from '../upgrade/checkout.ts';
import { type Fleet, roll } from '../upgrade/roll.ts';

const ROLLS = 4;
/** About the duration of one roll. */
const ROLL_S = 15;
const RIGHT_WITHIN_S = 15;
/** Less than the chart allows: terminationGracePeriodSeconds, less the pause before it. */
const DRAINED_WITHIN_S = 25;

export const upgrade: Program = {
  name: 'upgrade',
  summary: 'every api and worker replaced 4 times under 50 live jobs: none fails, no pod is touched',
  async run({ seed, amount, say, from }) {
    const random = createRandom(seed);
    using dir = temporaryFolder();
    const root = from === undefined ? undefined : path.join(dir.path, 'from');
    if (from !== undefined && root !== undefined) {
      say(`checking out ${from}`);
      checkOut(from, root);
    }
    const size: LoadSize = {
      long: amount(20, 4),
      ending: amount(20, 4),
      cancelled: amount(10, 2),
      late: amount(10, 2),
    };
    const targets = [...targetsOf(size), 'over'].map((name) => ({ name }));
    await using rig = await startRig({ targets, say, root });
    using audit = openAudit(rig, from === undefined ? 'this' : 'before');
    const over = await endedJob(rig);
    const load = await createLoad(rig, size, random);
    load.expected.push({ id: over, may: ['completed'] });
    const violations: string[] = [];
    const late: string[] = [];
    const rolls: object[] = [];
    let answers = 0;
    let fleet: Fleet = rig;
    let untouched: ReadonlyMap<string, string> | undefined;
    {
      await using prober = startProber(rig, {
        running: load.long,
        ended: over,
        start: () => load.startLate(),
      });
      const count = amount(ROLLS, 2);
      for (let at = 1; at <= count; at++) {
        await load.fillUp();
        untouched ??= await podsOf(rig, load.long);
        const began = Date.now();
        const going = load.goOn(ROLL_S);
        const { drained, ...next } = await roll(rig, fleet);
        fleet = next;
        const ended = Date.now();
        await going;
        await load.endLate();
        const right = await untilRight(rig, load, Math.max(ended, Date.now() - 1_000));
        const told = prober.report();
        answers += told.answers;
        violations.push(...told.violations.map((what) => `roll ${at}: ${what}`));
        late.push(...told.late.map((what) => `roll ${at}: ${what}`));
        if (told.refused > 0) violations.push(`roll ${at}: ${told.refused} calls were answered 503`);
        const factor = rig.busyness.factor(began);
        const last = right.last.join(', ');
        const slowest = Math.max(...drained);
        late.push(
          ...tooLate(`roll ${at}: right again (last ${last}) after`, right.seconds, {
            seconds: RIGHT_WITHIN_S,
            factor,
          }),
          ...tooLate(`roll ${at}: one ended after`, slowest, { seconds: DRAINED_WITHIN_S, factor }),
        );
        const figures = {
          took_s: (ended - began) / 1000,
          drained_s: slowest,
          right_s: right.seconds,
          slowest_answer_s: told.slowest,
        };
        rolls.push(figures);
        say(`roll ${at} of ${count}: ${JSON.stringify(figures)}`);
      }
      const now = await podsOf(rig, load.long);
      for (const [name, uid] of untouched ?? [])
        if (now.get(name) !== uid) violations.push(`pod ${name} was touched`);
      await load.cancelLong();
    }
    await untilQuiet(rig, 120_000);
    say('auditing');
    const audited = await audit.take(load.expected);
    violations.push(...audited.violations);
    const expected = 1 + size.long + rolls.length * (size.ending + size.cancelled + size.late);
    const live = size.long + size.ending + size.cancelled;
    return {
      n: load.expected.length,
      expected,
      violations,
      late,
      unsettled: audited.unsettled,
      busy: rig.busyness.factor(),
      live,
      from: from ?? 'this checkout',
      rolls,
      answers,
      untouched: untouched?.size,
      statuses: audited.statuses,
    };
  },
};

/** Live pods without a deletion: uid by name. */
async function podsOf(rig: Rig, jobs: readonly number[]): Promise<Map<string, string>> {
  const rows = await rig.db.selectFrom('jobs').select('uid').where('id', 'in', jobs).execute();
  const uids = new Set(rows.map(({ uid }) => uid));
  const { items } = await rig.ground.client.listPods('app.kubernetes.io/managed-by=syncrator');
  const live = items.filter(
    ({ metadata, status }) =>
      uids.has(readLabels(metadata)?.jobUid ?? '') &&
      metadata.deletionTimestamp === undefined &&
      status?.phase === 'Running',
  );
  if (live.length === 0) throw new Error('none of the long jobs has a pod: the run would prove nothing');
  return new Map(live.map(({ metadata }) => [metadata.name, metadata.uid]));
}

function temporaryFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-upgrade-'));
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
