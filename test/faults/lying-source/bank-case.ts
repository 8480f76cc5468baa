/** One case of the item bank: an honest sync, an action to which GitLab lies, and honest answers again. */

import type { Client } from 'pg';
import { type FakeGitlab, GROUP, startGitlab, TOKEN } from '../../support/gitlab/gitlab.ts';
import { createRandom, type Random } from '../random.ts';
import type { BankLie, BankStory } from './bank-lies.ts';
import { bankExpectedOf, type BankExpected, type BankTold, type Shas } from './bank-model.ts';
import { type Action, STEPS } from './case.ts';
import { digestOf } from './live-table.ts';
import type { Mode } from './model.ts';
import type { Ended, Runner } from './program-run.ts';
import { CANARY } from './story.ts';
import { wrongWords } from './words.ts';

export type BankStage = {
  readonly client: Client;
  readonly runner: Runner;
  readonly sinkUrl: string;
  /** Of this case only. */
  readonly table: string;
};
export type BankCase = { readonly lie: BankLie; readonly action: Action; readonly seed: number };

const MINUTE_MS = 60_000;

export async function runBankCase({ lie, action, seed }: BankCase, stage: BankStage): Promise<string[]> {
  const random = createRandom(seed);
  const gitlab = await startGitlab();
  try {
    const count = random.integer(104, 115);
    gitlab.bank.fill(count);
    const run = (options: string, more: Record<string, string> = {}): Promise<Ended> =>
      stage.runner.run(`${options} -c 8`, { ...environmentOf(gitlab, stage), ...more });
    const first = await run('sync');
    if (first.exit !== 'ok') return [`the first sync ended ${first.exit}: ${tail(first)}`];
    const changes = change(gitlab, count, random);
    const nth = counter();
    const story: BankStory = { bank: gitlab.bank, nth: (call) => nth(call.what), ...changes };
    lie.prepare?.(gitlab, story);
    let live = await shasOf(stage.client, stage.table);
    for (const { action: name, step } of STEPS[action]) {
      nth.reset();
      gitlab.bend = (call) => {
        const bent = lie.bend?.(call, story);
        nth.note(call.what);
        return bent;
      };
      const expected = bankExpectedOf(step, live, toldOf(lie, story, step.mode));
      const before = await digestOf(stage.client, stage.table);
      const ended = await run(name, step.partOfDiff ? { SYNCRATOR_PART_OF: 'diff' } : {});
      const wrong = await judge({ expected, ended, before, live, mode: step.mode }, stage);
      if (wrong.length > 0) return wrong.map((words) => `${name}: ${words}`);
      live = await shasOf(stage.client, stage.table);
      if (ended.exit !== 'ok') break;
    }
    return await aftermath(gitlab, changes.some[9] ?? 1, run, stage);
  } finally {
    await gitlab.close();
  }
}

/** Three projects disappear, eleven change or appear. */
function change({ bank }: FakeGitlab, count: number, random: Random): Pick<BankStory, 'some' | 'changed'> {
  const ids = random.shuffled([...bank.projects.keys()]);
  const date = new Date(Date.now() - MINUTE_MS);
  for (const id of ids.slice(0, 3)) bank.projects.delete(id);
  const changed = ids.slice(3, 9);
  for (const id of changed) bank.commit(id, { item: id, revision: 2, secret: CANARY }, { date });
  for (let id = count + 1; id <= count + 5; id += 1) {
    bank.create(id);
    bank.commit(id, { item: id, revision: 1, secret: CANARY }, { date });
  }
  return { some: ids.slice(9, 29), changed: changed[0] ?? 1 };
}

function toldOf(lie: BankLie, story: BankStory, mode: Mode): BankTold {
  const hidden = new Set((lie.hidden?.(story) ?? []).map(String));
  const latest = Object.entries(story.bank.latest());
  const answering = lie.hidden ? (lie.answering?.(story) ?? []) : story.bank.projects.keys();
  return {
    fate: lie.fate(mode),
    listed: new Map(latest.filter(([id]) => !hidden.has(id))),
    failing: new Set((lie.failing?.(story) ?? []).map(String)),
    marked: new Set((lie.marked?.(story) ?? []).map(String)),
    answering: new Set(
      [...answering].map(String).filter((id) => !(lie.marked?.(story) ?? []).map(String).includes(id)),
    ),
  };
}

async function judge(
  {
    expected,
    ended,
    before,
    live,
    mode,
  }: { expected: BankExpected; ended: Ended; before: string; live: Shas; mode: Mode },
  { client, table }: Pick<BankStage, 'client' | 'table'>,
): Promise<string[]> {
  const wrong = wrongWords(ended);
  if (!(expected.exits as readonly string[]).includes(ended.exit)) {
    wrong.push(`ended ${ended.exit} (${expected.exits.join(' or ')} is right): ${tail(ended)}`);
  }
  if (mode === 'ids' && ended.exit !== 'ok' && (await digestOf(client, table)) !== before) {
    wrong.push(`P2: ended ${ended.exit} but changed the live table`);
  }
  const there = await shasOf(client, table);
  const isRight = (id: string): boolean =>
    there.get(id) === expected.live.get(id) || (expected.partly && there.get(id) === live.get(id));
  const differ = [...new Set([...there.keys(), ...expected.live.keys(), ...live.keys()])].filter(
    (id) => !isRight(id),
  );
  if (differ.length > 0)
    wrong.push(
      `P1: ended ${ended.exit}, but ${differ.length} items are wrong, such as ${differ.slice(0, 3).join(', ')}`,
    );
  return wrong;
}

async function aftermath(
  gitlab: FakeGitlab,
  late: number,
  run: (options: string) => Promise<Ended>,
  { client, table }: Pick<BankStage, 'client' | 'table'>,
): Promise<string[]> {
  Object.assign(gitlab, { bend: null, skewMs: 0 });
  for (const { id, markedForDeletionOn } of gitlab.bank.projects.values())
    if (markedForDeletionOn !== null) gitlab.bank.restore(id);
  const { sha } = gitlab.bank.commit(late, { late: CANARY }, { date: new Date(Date.now() - 30 * MINUTE_MS) });
  const delta = await run('delta');
  if (delta.exit !== 'ok') return [`the honest delta after it ended ${delta.exit}: ${tail(delta)}`];
  if ((await shasOf(client, table)).get(String(late)) !== sha)
    return ['P1: the delta after it completed, but missed a push of half an hour ago'];
  for (const action of ['sync', 'delete --force-delete']) {
    const ended = await run(action);
    if (ended.exit !== 'ok') return [`the honest ${action} after it ended ${ended.exit}: ${tail(ended)}`];
  }
  const there = await shasOf(client, table);
  const latest = Object.entries(gitlab.bank.latest());
  const isSame = latest.length === there.size && latest.every(([id, of]) => there.get(id) === of);
  return isSame
    ? []
    : ["P1: the honest sync and delete after it completed, but some items differ from GitLab's"];
}

function environmentOf(
  gitlab: FakeGitlab,
  { sinkUrl, table }: Pick<BankStage, 'sinkUrl' | 'table'>,
): Record<string, string> {
  return {
    SOURCE: 'gitlab',
    GITLAB_URL: gitlab.url,
    GITLAB_TOKEN: TOKEN,
    GITLAB_GROUP: GROUP,
    GITLAB_TIMEOUT: '3',
    SINK: 'postgres',
    SINK_URL: sinkUrl,
    SINK_TABLE: table,
  };
}

/** Number of calls of each kind in this run. */
function counter(): ((what: string) => number) & { note(what: string): void; reset(): void } {
  const counts = new Map<string, number>();
  return Object.assign((what: string) => counts.get(what) ?? 0, {
    note: (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    reset: () => counts.clear(),
  });
}

async function shasOf(client: Client, table: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; sha: string }>(
    `SELECT id, record->'commit'->>'sha' AS sha FROM ${table}`,
  );
  return new Map(rows.map(({ id, sha }) => [id, sha]));
}

function tail({ output }: Ended): string {
  return output.trim().split('\n').at(-1)?.slice(0, 400) ?? '';
}
