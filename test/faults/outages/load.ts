/** The jobs during an outage: some outlive it, some end or are cancelled in it, some start in it. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isFinal } from '../../../src/domain/status.ts';
import type { Expectation } from '../audit/audit.ts';
import type { Random } from '../random.ts';
import { type Answer, runBody } from '../rig/api-client.ts';
import { NotFinished } from '../program.ts';
import type { Rig } from '../rig/rig.ts';

export type LoadSize = {
  readonly long: number;
  readonly ending: number;
  readonly cancelled: number;
  readonly late: number;
};

/** Each job is observed at least this often. */
const SEEN_WITHIN_S = 10;
/** Time limit until every started job runs. */
const RUNNING_WITHIN_MS = 120_000;
const TOLD_WITHIN_MS = 120_000;

export type Load = {
  readonly expected: Expectation[];
  /** Jobs that outlive every outage. */
  readonly long: readonly number[];
  /** Fills up the load before an outage of so many seconds; resolves when all of it runs. */
  fillUp(): Promise<void>;
  /** At random moments of the outage that begins now, programs end, and jobs are cancelled or requested. */
  goOn(outageSeconds: number): Promise<void>;
  /**
   * For the prober: requests one of the late jobs, and repeats that until an answer names it; undefined when none
   * is left.
   */
  startLate(): Promise<Answer | undefined>;
  /** Requests the jobs that no answer has named yet, until one does; without the prober. */
  endLate(): Promise<void>;
  /** The remaining faults of this outage; empty once all is right. */
  wrong(): Promise<string[]>;
  /** Targets whose programs end during the outage. */
  readonly endingTargets: readonly string[];
  cancelLong(): Promise<void>;
};

export function targetsOf(size: LoadSize): string[] {
  return Object.entries(size).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, at) => `${kind}-${at}`),
  );
}

export async function createLoad(rig: Rig, size: LoadSize, random: Random): Promise<Load> {
  const expected: Expectation[] = [];
  const names = (kind: keyof LoadSize) =>
    targetsOf({ long: 0, ending: 0, cancelled: 0, late: 0, [kind]: size[kind] });
  let round = 0;
  let ending: number[] = [];
  let cancelled: number[] = [];
  let late: number[] = [];
  const lateLeft: { target: string; key: string }[] = [];
  let closed = true;
  let asking: Promise<unknown> = Promise.resolve();

  const endFile = (target: string) => path.join(rig.dir, `${target}-${round}`);
  const begin = async (target: string, may: string) => {
    const options = `--seconds 3600 --progress 3 --until ${endFile(target)}`;
    const id = await rig.api.started({ target, action: 'sync', options });
    expected.push({ id, may: [may] });
    return id;
  };
  const rows = (ids: readonly number[]) =>
    rig.db
      .selectFrom('jobs')
      .select(['id', 'target', 'status', 'observed_at'])
      .where('id', 'in', ids)
      .execute();

  const long = await Promise.all(names('long').map((target) => begin(target, 'deleted')));

  async function askForLate(): Promise<Answer | undefined> {
    const next = lateLeft[0];
    if (!next) return undefined;
    const answer = await rig.api.call('POST', '/run', {
      body: runBody({ target: next.target, action: 'sync', options: '--seconds 1' }),
      headers: { 'idempotency-key': next.key },
      timeoutMs: 30_000,
    });
    if (answer.status === 202) {
      lateLeft.shift();
      const id = Number(answer.body['job_id']);
      late.push(id);
      expected.push({ id, may: ['completed'] });
    }
    return answer;
  }

  /** True if a limit for an idle machine has passed on this one. */
  function isOver(began: number, limitMs: number): boolean {
    return Date.now() - began > limitMs * rig.busyness.factor(began);
  }

  return {
    expected,
    long,
    endingTargets: names('ending'),
    async fillUp() {
      round += 1;
      [ending, cancelled] = await Promise.all([
        Promise.all(names('ending').map((target) => begin(target, 'completed'))),
        Promise.all(names('cancelled').map((target) => begin(target, 'deleted'))),
      ]);
      late = [];
      const all = [...long, ...ending, ...cancelled];
      for (const began = Date.now(); ; await wait(250)) {
        const waiting = (await rows(all)).filter(
          ({ status }) => status === 'queued' || status === 'starting' || status === 'waiting',
        );
        if (waiting.length === 0) break;
        if (isOver(began, RUNNING_WITHIN_MS))
          throw new NotFinished(`${waiting.length} jobs do not start to run`);
      }
      closed = false;
    },
    async goOn(outageSeconds) {
      const byChance = () => wait(random.integer(0, outageSeconds * 900));
      await Promise.all([
        ...names('ending').map(async (target) => {
          await byChance();
          writeFileSync(endFile(target), '');
        }),
        ...names('late').map(async (target) => {
          await byChance();
          lateLeft.push({ target, key: randomUUID() });
        }),
        ...cancelled.map(async (id) => {
          await byChance();
          await rig.api.insist('DELETE', `/jobs/${id}`);
        }),
      ]);
    },
    async startLate() {
      if (closed) return undefined;
      const asked = askForLate();
      asking = asked.catch(() => undefined); // the prober judges this answer
      return await asked;
    },
    async endLate() {
      closed = true;
      await asking;
      for (const began = Date.now(); lateLeft.length > 0; await wait(100)) {
        const answer = await askForLate().catch(() => undefined); // repeated under the same key
        if (isOver(began, TOLD_WITHIN_MS))
          throw new NotFinished(`${lateLeft[0]?.target} is still answered ${answer?.status}`);
      }
    },
    async wrong() {
      const found = await rows([...long, ...ending, ...cancelled, ...late]);
      return found.flatMap(({ id, target, status, observed_at: at }) => {
        if (!long.includes(id)) return isFinal(status) ? [] : [`${target} is ${status}`];
        const unseen = (Date.now() - (at?.getTime() ?? 0)) / 1000;
        if (status !== 'running') return [`${target} is ${status}`];
        return unseen < SEEN_WITHIN_S * rig.busyness.factor(Date.now() - 60_000)
          ? []
          : [`${target} was not observed for ${unseen.toFixed(0)} s`];
      });
    },
    async cancelLong() {
      await Promise.all(long.map((id) => rig.api.insist('DELETE', `/jobs/${id}`)));
    },
  };
}
