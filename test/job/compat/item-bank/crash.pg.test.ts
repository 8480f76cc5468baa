/** Imports two thousand items while GitLab fails now and then, and while the program is killed again and again. */
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { createRandom, type Random } from '../../../faults/random.ts';
import type { GitlabCall } from '../../../support/gitlab/gitlab.ts';
import { type BankSetup, bankSetup } from '../../support/item-bank-setup.ts';

const ITEMS = 2_000;
const PAGE = 100;
const KILLS = 20;

/** SEED=… repeats a run. */
function newRandom(): Random {
  const seed = Number(process.env['SEED'] ?? randomInt(1_000_000));
  console.log(`SEED=${seed}`);
  return createRandom(seed);
}

const projectsOf = (calls: readonly GitlabCall[]): Set<number> =>
  new Set(calls.filter(({ what }) => what === 'commits').map(({ project }) => Number(project)));

/** One call in a hundred fails, for any item; calls for `broken` items always do. */
function failNowAndThen(
  t: BankSetup,
  random: Random,
  { broken, status = 500 }: { broken: ReadonlySet<number>; status?: number },
): void {
  t.gitlab.bend = ({ what, project }) => {
    if (what === 'raw' && broken.has(Number(project))) return new Response('', { status });
    return random.chance(0.01) ? new Response('', { status: 503 }) : undefined;
  };
}

/** The moment of a kill: the nth call, report or log line, or the nth log line of a resume. */
type Moment = { readonly on: 'call' | 'report' | 'line' | 'line of the resume'; readonly nth: number };

/** Every other kill is at a call. Reports are few: one at the start, and then one per page. */
function momentsOf(random: Random): Moment[] {
  const others: Moment[] = [
    ...Array.from({ length: 4 }, () => ({ on: 'report' as const, nth: random.integer(1, 3) })),
    ...Array.from({ length: 3 }, () => ({ on: 'line' as const, nth: random.integer(1, 120) })),
  ];
  return [
    ...random.shuffled(others),
    // Last, since no items have failed at first: what follows the third line belongs to their retry.
    ...[random.integer(1, 3), 4, random.integer(5, 8)].map((nth) => ({
      on: 'line of the resume' as const,
      nth,
    })),
  ].flatMap((other) => [{ on: 'call' as const, nth: random.integer(1, 400) }, other]);
}

type Life = ReturnType<BankSetup['spawn']>;

/** Kills the program at its moment; the result of `t` is unchanged. */
function killAt({ child }: Life, t: BankSetup, moment: Moment | undefined): void {
  const counts: Record<Moment['on'], number> = { call: 0, report: 0, line: 0, 'line of the resume': 0 };
  const happened = (what: Moment['on']): void => {
    counts[what] += 1;
    if (moment?.on === what && counts[what] >= moment.nth) child.kill('SIGKILL');
  };
  const bend = t.gitlab.bend;
  t.gitlab.bend = (call) => {
    happened('call');
    return bend?.(call);
  };
  t.receiver.answer = () => {
    happened('report');
    return new Response(null, { status: 204 });
  };
  if (!child.stdout) throw new Error('a child without its output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    happened('line');
    if (counts['line of the resume'] > 0 || line.includes('resuming after')) happened('line of the resume');
  });
}

describe('a bank of 2,000 items', () => {
  it('is imported except for 1 % failing items, and a resume retries only those', {
    timeout: 240_000,
  }, async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(ITEMS);
    for (let id = 1; id <= ITEMS; id += 3) bank.commit(id, { item: id, revision: 2 });
    const random = newRandom();
    const broken = new Set(
      Array.from({ length: ITEMS / 100 }, (_, n) => random.integer(n * 100 + 1, n * 100 + 100)),
    );
    failNowAndThen(t, random, { broken });
    const ended = await t.spawn('sync -c 16').ended;
    expect(ended.code).toBe(EXIT.itemsFailed);
    const failed = t.checkpoint()?.failed ?? [];
    expect(new Set(failed.map(({ id }) => Number(id)))).toEqual(broken);
    const stored = (await t.stored()) ?? {};
    const latest = bank.latest();
    expect(stored).toEqual(
      Object.fromEntries(Object.entries(latest).filter(([id]) => !broken.has(Number(id)))),
    );

    failNowAndThen(t, random, { broken: new Set() });
    t.gitlab.calls.length = 0;
    expect((await t.resume('sync -c 16')).code).toBe(EXIT.ok);
    expect(projectsOf(t.gitlab.calls)).toEqual(broken);
    expect(t.gitlab.count('projects')).toBe(0);
    expect(await t.stored()).toEqual(latest);
  });

  it(`reaches the same end when killed at ${KILLS} random moments, and repeats at most one page each time`, {
    timeout: 400_000,
  }, async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(ITEMS);
    const random = newRandom();
    const moments = momentsOf(random);
    expect(moments).toHaveLength(KILLS);
    const broken = new Set(Array.from({ length: 5 }, (_, n) => n * 400 + random.integer(1, 90)));
    const repeated: number[] = [];
    let killedInRetry = 0;
    let before: GitlabCall[] = [];
    for (let life = 1; life <= KILLS + 1; life += 1) {
      const begun = t.gitlab.calls.length;
      const last = t.checkpoint();
      const { child, ended } = t.spawn(`sync -c 8 --debug --api_job_id ${life}`, {
        SYNCRATOR_CHECKPOINT: last ? JSON.stringify(last) : '',
      });
      const moment = moments[life - 1];
      // Failing items are given up at once, except if the kill must hit a retry, with reports in between.
      failNowAndThen(t, random, { broken, status: moment?.on === 'line of the resume' ? 500 : 418 });
      killAt({ child, ended }, t, moment);
      const { code, output } = await ended;
      expect(code, `life ${life}, ${JSON.stringify(moment)}: ${output.slice(-2_000)}`).toBe(
        moment ? null : EXIT.itemsFailed,
      );
      const since = t.gitlab.calls.slice(begun);
      const seen = projectsOf(before);
      const again = [...projectsOf(since)].filter((id) => seen.has(id) && !broken.has(id));
      repeated.push(again.length);
      const failed = new Set(last?.failed.map(({ id }) => Number(id)));
      if (moment?.on === 'line of the resume' && since.some(({ project }) => failed.has(Number(project))))
        killedInRetry += 1;
      before = [...before, ...since];
    }
    const told = `SEED above; items done again by each life: ${repeated.join(' ')}`;
    expect(Math.max(...repeated), told).toBeLessThanOrEqual(PAGE);
    expect(repeated.filter((count) => count > 0).length, told).toBeGreaterThan(0);
    expect(killedInRetry).toBeGreaterThan(0);
    expect(new Set(t.checkpoint()?.failed.map(({ id }) => Number(id)))).toEqual(broken);
    expect(t.checkpoint()?.failed).toHaveLength(broken.size);
    const latest = bank.latest();
    expect(await t.stored()).toEqual(
      Object.fromEntries(Object.entries(latest).filter(([id]) => !broken.has(Number(id)))),
    );
    expect(await t.watermark()).toBeNull();
    // No stored item was read again, though one call in a hundred had to be repeated.
    const texts = before.filter(({ what, project }) => what === 'raw' && !broken.has(Number(project))).length;
    expect(texts).toBeLessThanOrEqual(ITEMS * 1.05 + KILLS * 8);

    failNowAndThen(t, random, { broken: new Set() });
    t.gitlab.calls.length = 0;
    expect((await t.resume(`sync -c 8 --api_job_id ${KILLS + 2}`)).code).toBe(EXIT.ok);
    expect(projectsOf(t.gitlab.calls)).toEqual(broken);
    expect(await t.stored()).toEqual(latest);
    expect(await t.watermark()).not.toBeNull();
    for (const { hooks } of bank.projects.values()) expect(hooks).toHaveLength(1);
    expect(await t.query('SELECT count(*)::integer AS n FROM syncrator.item_revisions')).toEqual([
      { n: ITEMS },
    ]);
  });
});
