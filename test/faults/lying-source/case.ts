/**
 * One case: an honest sync, an action to which the source lies, and honest answers again. Returns the violations,
 * in words.
 */

import type { LiveSink } from './live-sink.ts';
import { expectedOf, type Expected, type State, type Step } from './model.ts';
import type { Ended } from './program-run.ts';
import type { Scene, Teller } from './scene.ts';
import { lateChange } from './story.ts';
import { wrongWords } from './words.ts';

export const ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;
export type Action = (typeof ACTIONS)[number];

export const STEPS: Readonly<Record<Action, readonly { action: string; step: Step }[]>> = {
  sync: [{ action: 'sync', step: { mode: 'everything', partOfDiff: false } }],
  delta: [{ action: 'delta', step: { mode: 'changes', partOfDiff: false } }],
  delete: [{ action: 'delete', step: { mode: 'ids', partOfDiff: false } }],
  diff: [
    { action: 'delta', step: { mode: 'changes', partOfDiff: false } },
    { action: 'delete', step: { mode: 'ids', partOfDiff: true } },
  ],
};

/** @param of.proven whether the listing before the lie was proven complete */
export async function runCase(
  scene: Scene,
  { action, proven }: { action: Action; proven: boolean },
  sink: LiveSink,
): Promise<{ violations: string[]; verdicts: string[] }> {
  const { story, teller, limits } = scene;
  const violations: string[] = [];
  const verdicts: string[] = [];
  const first = await teller.honestly('sync', story.before, proven);
  if (first.exit !== 'ok')
    return { violations: [`the first sync ended ${first.exit}: ${tail(first)}`], verdicts };
  let state: State = {
    live: new Map(story.before.map((row) => [row.id, row])),
    proven,
    held: new Set(),
  };
  for (const { action: name, step } of STEPS[action]) {
    const expected = expectedOf(step, state, teller.told(step.mode), limits);
    const before = await sink.digest();
    const ended = await teller.lie(name, step);
    verdicts.push(expected.verdict);
    const wrong = await judge({ expected, ended, before, rejects: teller.rejects(step.mode) }, sink);
    violations.push(...wrong.map((words) => `${name}: ${words}`), ...(await unasked(teller, state, sink)));
    state = expected;
    if (ended.exit !== 'ok' || wrong.length > 0) break;
  }
  if (violations.length === 0) violations.push(...(await aftermath(scene, sink)));
  return { violations, verdicts };
}

async function judge(
  { expected, ended, before, rejects }: { expected: Expected; ended: Ended; before: string; rejects: number },
  sink: LiveSink,
): Promise<string[]> {
  const wrong = wrongWords(ended);
  const says = `${ended.exit} (${expected.exits.join(' or ')} is right): ${tail(ended)}`;
  if (ended.exit === 'never') return [`has no end: ${tail(ended)}`];
  if (!expected.exits.includes(ended.exit)) wrong.push(`ended ${says}`);
  if (expected.verdict === 'unchanged' || ended.exit !== 'ok') {
    if ((await sink.digest()) !== before) wrong.push(`P2: ended ${ended.exit} but changed the live table`);
    return wrong;
  }
  const differ = await sink.differences(expected.live);
  if (differ.length > 0) wrong.push(`P1: completed, but ${differ.join(', ')}`);
  const last = ended.reports.at(-1);
  if (last?.phase !== 'done') wrong.push(`its last report has the phase ${last?.phase}`);
  if ((last?.kept ?? 0) !== expected.kept) wrong.push(`reports ${last?.kept} kept, but ${expected.kept} are`);
  const held = last?.held ?? 0;
  if (held !== expected.toldHeld) wrong.push(`reports ${held} held, but ${expected.toldHeld} are`);
  if ((last?.failed ?? 0) !== rejects) wrong.push(`reports ${last?.failed} failed, but ${rejects} are`);
  if ((last?.failed_items ?? []).length !== rejects) wrong.push('does not name what it set aside');
  // A delta says so of its list of changes when it leaves the watermark; that takes nothing from what it does.
  const hasWarned = (last?.warnings ?? []).some(
    (words) => words.includes('not proven complete') && !words.includes('the watermark stays'),
  );
  if ((expected.verdict === 'kept') !== hasWarned) wrong.push(`warns ${hasWarned ? 'without need' : 'not'}`);
  return wrong;
}

/** P3, apart from the model: no record disappears that still answers, and none without a listing that proves it. */
async function unasked(teller: Teller, state: State, sink: LiveSink): Promise<string[]> {
  const there = await sink.ids();
  const gone = [...state.live.keys()].filter((id) => !there.has(id));
  const answering = gone.filter((id) => teller.answers.has(id));
  if (answering.length > 0) return [`P3: ${answering.length} records disappeared that still answer by id`];
  const mayGo = (['everything', 'ids'] as const).some((mode) => teller.told(mode).fate.kind === 'read');
  return gone.length > 0 && !mayGo ? [`P3: ${gone.length} records disappeared without evidence`] : [];
}

/** Whatever the lie was: the next delta sees what was written late, and the next sync corrects everything. */
async function aftermath({ story, teller, shape }: Scene, sink: LiveSink): Promise<string[]> {
  const changed = lateChange(story.next, teller.chosen * 7);
  const { rows, late } = { rows: changed.rows.map(shape), late: shape(changed.late) };
  const delta = await teller.honestly('delta', rows);
  if (delta.exit !== 'ok') return [`the honest delta after it ended ${delta.exit}: ${tail(delta)}`];
  if (!(await sink.has(late)))
    return ['P1: the delta after it completed, but missed a change of half an hour ago'];
  const sync = await teller.honestly('sync --force-delete', rows);
  if (sync.exit !== 'ok') return [`the honest sync after it ended ${sync.exit}: ${tail(sync)}`];
  const differ = await sink.differences(new Map(rows.map((row) => [row.id, row])));
  return differ.length > 0 ? [`P1: the honest sync after it completed, but ${differ.join(', ')}`] : [];
}

function tail({ output }: Ended): string {
  return output.trim().split('\n').at(-1)?.slice(0, 400) ?? '';
}
