/**
 * Reads a group's list while projects are removed, added, moved into it and become active at random. SEED=… repeats
 * one.
 */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ProjectPage } from '../../../../src/job/compat/gitlab/gitlab.ts';
import type { Project } from '../../../../src/job/compat/gitlab/project.ts';
import { activeSince, firstPlace, projectPages } from '../../../../src/job/compat/gitlab/project-pages.ts';
import { startOf, windowAfter } from '../../../../src/job/compat/gitlab/windows.ts';
import { createRandom, type Random } from '../../../faults/random.ts';

const START = Date.parse('2026-11-25T00:00:00Z');
const seed = Number(process.env['SEED'] ?? randomInt(1_000_000));

/** Answers by offset, like GitLab; calls `disturb` before each answer. */
class Group {
  readonly projects = new Map<number, number>();
  reads = 0;
  readonly disturb: (group: Group) => void;

  constructor(size: number, disturb: (group: Group) => void) {
    // Even ids only, so that others can be moved in between.
    for (let n = 1; n <= size; n += 1) this.projects.set(n * 2, START - n * 60_000);
    this.disturb = disturb;
  }

  async projectPage(query: string): Promise<ProjectPage> {
    this.reads += 1;
    if (this.reads > 1) this.disturb(this);
    const of = new URLSearchParams(query);
    const [page, size] = [Number(of.get('page')), Number(of.get('per_page'))];
    const byId = of.get('order_by') === 'id';
    const all = [...this.projects].toSorted(([a, activeA], [b, activeB]) =>
      byId ? a - b : activeB - activeA || b - a,
    );
    const projects = all.slice((page - 1) * size, page * size).map(
      ([id, activeAt]): Project => ({
        id: String(id),
        path: `item-bank/item-${id}`,
        branch: 'main',
        archived: false,
        isMarked: false,
        activeAt: new Date(activeAt),
      }),
    );
    return { projects, total: all.length, more: page * size < all.length };
  }
}

/** Up to `most` projects change before each page; the sets keep those that did not. */
function byChance(
  random: Random,
  most: number,
  of: { stay: Set<number>; rest: Set<number> },
): (group: Group) => void {
  return (group) => {
    for (let count = random.integer(0, most); count > 0; count -= 1) {
      if (group.projects.size === 0) return;
      const any = random.pick([...group.projects.keys()]);
      const moved = random.integer(1, 400) * 2 + 1;
      const change = random.integer(1, 6);
      if (change > 3) {
        group.projects.delete(any);
        of.stay.delete(any);
        of.rest.delete(any);
      } else if (change === 1) group.projects.set(Math.max(...group.projects.keys()) + 2, START + count);
      else if (change === 2 && !group.projects.has(moved)) group.projects.set(moved, START - moved * 30_000);
      else {
        // Active now: the next delta finds them.
        group.projects.set(any, START + count);
        of.rest.delete(any);
      }
    }
  };
}

test.each([0, 3, 30])(
  `a listing contains every remaining project once, with up to %i changes before each page (SEED=${seed})`,
  async (most) => {
    const random = createRandom(seed + most);
    for (let round = 0; round < 40; round += 1) {
      const size = random.integer(1, 700);
      const stay = new Set(Array.from({ length: size }, (_, n) => (n + 1) * 2));
      const group = new Group(size, byChance(random, most, { stay, rest: new Set() }));
      const listed: number[] = [];
      for await (const { projects } of projectPages(group, firstPlace()))
        listed.push(...projects.map(({ id }) => Number(id)));
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed).toEqual(listed.toSorted((a, b) => a - b));
      const missed = [...stay].filter((id) => !listed.includes(id));
      expect(missed, `of ${size}, round ${round}`).toEqual([]);
      if (most === 0) expect(group.reads).toBeLessThanOrEqual(Math.ceil(size / 80) + 1);
    }
  },
);

test.each([0, 3, 30])(
  `a listing by activity finds every remaining active project, with up to %i changes (SEED=${seed})`,
  async (most) => {
    const random = createRandom(seed + most);
    for (let round = 0; round < 40; round += 1) {
      const size = random.integer(1, 700);
      const rest = new Set(Array.from({ length: size }, (_, n) => (n + 1) * 2));
      const group = new Group(size, byChance(random, most, { stay: new Set(), rest }));
      const projects = await activeSince(group, new Date(START - 10 * 3_600_000));
      const found = new Set(projects.map(({ id }) => Number(id)));
      const missed = [...rest].filter((id) => id / 2 <= 600 && !found.has(id));
      expect(missed, `of ${size}, round ${round}`).toEqual([]);
    }
  },
);

test('a window contains the last known project and mostly unknown ones', () => {
  let fresh = 0;
  for (let known = 1; known <= 5_000; known += 1) {
    const window = windowAfter(known);
    expect(window.size).toBeLessThanOrEqual(100);
    expect(startOf(window)).toBeLessThan(known);
    expect(startOf(window) + window.size).toBeGreaterThan(known);
    fresh += startOf(window) + window.size - known;
  }
  expect(fresh / 5_000).toBeGreaterThan(85);
});
