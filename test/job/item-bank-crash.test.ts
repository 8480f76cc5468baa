/** Two thousand items while GitLab fails now and then, and while the program is killed again and again. */
import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { createRandom, type Random } from '../faults/random.ts';
import type { GitlabCall } from '../support/gitlab/gitlab.ts';
import { type BankSetup, bankSetup } from './support/item-bank-setup.ts';

const ITEMS = 2_000;
const PAGE = 100;
const KILLS = 20;

/** SEED=… has the same chances again. */
function newRandom(): Random {
  const seed = Number(process.env['SEED'] ?? randomInt(1_000_000));
  console.log(`SEED=${seed}`);
  return createRandom(seed);
}

const projectsOf = (calls: readonly GitlabCall[]): Set<number> =>
  new Set(calls.filter(({ what }) => what === 'commits').map(({ project }) => Number(project)));

/** One call in a hundred fails, whoever it is for; `broken` items always do. */
function failNowAndThen(t: BankSetup, random: Random, broken: ReadonlySet<number>): void {
  t.gitlab.bend = ({ what, project }) => {
    if (what === 'raw' && broken.has(Number(project))) return new Response('', { status: 500 });
    return random.chance(0.01) ? new Response('', { status: 503 }) : undefined;
  };
}

describe('2,000 items', () => {
  it('of which 1 % fail, as do 1 % of all calls: all others are brought, and a resume does the failed ones alone', {
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
    failNowAndThen(t, random, broken);
    const ended = await t.spawn('sync -c 16').ended;
    expect(ended.code).toBe(EXIT.itemsFailed);
    const failed = t.checkpoint()?.failed ?? [];
    expect(new Set(failed.map(({ id }) => Number(id)))).toEqual(broken);
    const stored = (await t.stored()) ?? {};
    const latest = bank.latest();
    expect(stored).toEqual(
      Object.fromEntries(Object.entries(latest).filter(([id]) => !broken.has(Number(id)))),
    );

    failNowAndThen(t, random, new Set());
    t.gitlab.calls.length = 0;
    expect((await t.resume('sync -c 16')).code).toBe(EXIT.ok);
    expect(projectsOf(t.gitlab.calls)).toEqual(broken);
    expect(t.gitlab.count('projects')).toBe(0);
    expect(await t.stored()).toEqual(latest);
  });

  it(`killed at ${KILLS} random moments: the same end, and at most one page is done again each time`, {
    timeout: 300_000,
  }, async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(ITEMS);
    const random = newRandom();
    const repeated: number[] = [];
    let before: GitlabCall[] = [];
    for (let life = 1; ; life += 1) {
      const begun = t.gitlab.calls.length;
      const last = t.checkpoint();
      const { child, ended } = t.spawn(`sync -c 8 --api_job_id ${life}`, {
        SYNCRATOR_CHECKPOINT: last ? JSON.stringify(last) : '',
      });
      const lives = random.integer(1, 400);
      t.gitlab.bend = () => {
        if (life <= KILLS && t.gitlab.calls.length - begun >= lives) child.kill('SIGKILL');
        return undefined;
      };
      const { code, output } = await ended;
      const since = t.gitlab.calls.slice(begun);
      const seen = projectsOf(before);
      repeated.push([...projectsOf(since)].filter((id) => seen.has(id)).length);
      before = [...before, ...since];
      if (life <= KILLS) expect(code, output).toBeNull();
      else {
        expect(code, output).toBe(EXIT.ok);
        break;
      }
    }
    expect(Math.max(...repeated), `items done again by each life: ${repeated.join(' ')}`).toBeLessThanOrEqual(
      PAGE,
    );
    expect(repeated.filter((count) => count > 0).length).toBeGreaterThan(0);
    expect(await t.stored()).toEqual(bank.latest());
    // Nothing that was written was read again.
    const texts = before.filter(({ what }) => what === 'raw').length;
    expect(texts).toBeLessThanOrEqual(ITEMS + KILLS * 8);
    for (const { hooks } of bank.projects.values()) expect(hooks).toHaveLength(1);
    expect(await t.query('SELECT count(*)::integer AS n FROM items__commits')).toEqual([{ n: ITEMS }]);
  });
});
