/**
 * One case: an honest sync, an action to which the source lies, and honest answers again. Returns the violations,
 * in words.
 */

import type { Client } from 'pg';
import { createRandom } from '../random.ts';
import type { FileSource } from './file-source.ts';
import type { HttpSource, Telling } from './http-source.ts';
import { honest, honestly, type HttpTold, type Lie, type Line, type SourceKind } from './lie.ts';
import { differences, digestOf, idsOf } from './live-table.ts';
import {
  expectedOf,
  type Expected,
  type Limits,
  type Mode,
  type Row,
  type State,
  type Step,
  type Told,
} from './model.ts';
import type { Ended, Runner } from './program-run.ts';
import { lateChange, makeStory, type Story } from './story.ts';
import { wrongWords } from './words.ts';

export const ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;
export type LieCase = {
  readonly lie: Lie;
  readonly source: SourceKind;
  readonly action: (typeof ACTIONS)[number];
  /** Whether the listing before the lie was proven complete. */
  readonly proven: boolean;
  readonly seed: number;
};

export type Stage = {
  readonly client: Client;
  readonly runner: Runner;
  readonly http: HttpSource;
  readonly file: FileSource;
  readonly sinkUrl: string;
  /** Of this case only. */
  readonly table: string;
};

export const STEPS: Readonly<Record<LieCase['action'], readonly { action: string; step: Step }[]>> = {
  sync: [{ action: 'sync', step: { mode: 'everything', partOfDiff: false } }],
  delta: [{ action: 'delta', step: { mode: 'changes', partOfDiff: false } }],
  delete: [{ action: 'delete', step: { mode: 'ids', partOfDiff: false } }],
  diff: [
    { action: 'delta', step: { mode: 'changes', partOfDiff: false } },
    { action: 'delete', step: { mode: 'ids', partOfDiff: true } },
  ],
};

const HOUR_MS = 3_600_000;

export async function runCase(
  given: LieCase,
  stage: Stage,
): Promise<{ violations: string[]; verdicts: string[] }> {
  const { lie, action, seed } = given;
  const story = makeStory(createRandom(seed));
  const violations: string[] = [];
  const verdicts: string[] = [];
  const lying = new Session(given, story, stage);
  const first = await lying.honestly('sync', story.before, given.proven);
  if (first.exit !== 'ok')
    return { violations: [`the first sync ended ${first.exit}: ${tail(first)}`], verdicts };
  let state: State = { live: new Map(story.before.map((row) => [row.id, row])), proven: given.proven };
  for (const { action: name, step } of STEPS[action]) {
    const expected = expectedOf(step, state, lying.told(step.mode), limitsOf(lie));
    const before = await digestOf(stage.client, stage.table);
    const ended = await lying.lie(name, step);
    verdicts.push(expected.verdict);
    const wrong = await judge({ expected, ended, before, rejects: lying.rejects(step.mode) }, stage);
    violations.push(...wrong.map((words) => `${name}: ${words}`), ...(await unasked(lying, state, stage)));
    state = expected;
    if (ended.exit !== 'ok' || wrong.length > 0) break;
  }
  if (violations.length === 0) violations.push(...(await aftermath(lying, story, stage)));
  return { violations, verdicts };
}

async function judge(
  { expected, ended, before, rejects }: { expected: Expected; ended: Ended; before: string; rejects: number },
  { client, table }: Stage,
): Promise<string[]> {
  const wrong = wrongWords(ended);
  const says = `${ended.exit} (${expected.exits.join(' or ')} is right): ${tail(ended)}`;
  if (ended.exit === 'never') return [`has no end: ${tail(ended)}`];
  if (!expected.exits.includes(ended.exit)) wrong.push(`ended ${says}`);
  if (expected.verdict === 'unchanged' || ended.exit !== 'ok') {
    if ((await digestOf(client, table)) !== before)
      wrong.push(`P2: ended ${ended.exit} but changed the live table`);
    return wrong;
  }
  const differ = await differences(client, table, expected.live);
  if (differ.length > 0) wrong.push(`P1: completed, but ${differ.join(', ')}`);
  const last = ended.reports.at(-1);
  if (last?.phase !== 'done') wrong.push(`its last report has the phase ${last?.phase}`);
  if ((last?.kept ?? 0) !== expected.kept) wrong.push(`reports ${last?.kept} kept, but ${expected.kept} are`);
  if ((last?.failed ?? 0) !== rejects) wrong.push(`reports ${last?.failed} failed, but ${rejects} are`);
  if ((last?.failed_items ?? []).length !== rejects) wrong.push('does not name what it set aside');
  const hasWarned = (last?.warnings ?? []).some((words) => words.includes('not proven complete'));
  if ((expected.verdict === 'kept') !== hasWarned) wrong.push(`warns ${hasWarned ? 'without need' : 'not'}`);
  return wrong;
}

/** P3, apart from the model: no record disappears that still answers, and none without a listing that proves it. */
async function unasked(lying: Session, state: State, { client, table }: Stage): Promise<string[]> {
  const there = await idsOf(client, table);
  const gone = [...state.live.keys()].filter((id) => !there.has(id));
  const answering = gone.filter((id) => lying.answers.has(id));
  if (answering.length > 0) return [`P3: ${answering.length} records disappeared that still answer by id`];
  const mayGo = (['everything', 'ids'] as const).some((mode) => lying.told(mode).fate.kind === 'read');
  return gone.length > 0 && !mayGo ? [`P3: ${gone.length} records disappeared without evidence`] : [];
}

/** Whatever the lie was: the next delta sees what was written late, and the next sync corrects everything. */
async function aftermath(lying: Session, { next }: Story, { client, table }: Stage): Promise<string[]> {
  const { rows, late } = lateChange(next, lying.chosen * 7);
  const delta = await lying.honestly('delta', rows);
  if (delta.exit !== 'ok') return [`the honest delta after it ended ${delta.exit}: ${tail(delta)}`];
  const { rows: found } = await client.query(`SELECT FROM ${table} WHERE id = $1 AND record = $2::jsonb`, [
    late.id,
    late.json,
  ]);
  if (found.length === 0)
    return ['P1: the delta after it completed, but missed a change of half an hour ago'];
  const sync = await lying.honestly('sync --force-delete', rows);
  if (sync.exit !== 'ok') return [`the honest sync after it ended ${sync.exit}: ${tail(sync)}`];
  const differ = await differences(client, table, new Map(rows.map((row) => [row.id, row])));
  return differ.length > 0 ? [`P1: the honest sync after it completed, but ${differ.join(', ')}`] : [];
}

class Session {
  readonly chosen: number;
  readonly answers: ReadonlySet<string>;
  readonly #given: LieCase;
  readonly #story: Story;
  readonly #stage: Stage;
  readonly #answering: readonly Line[];
  readonly #lines = new Map<Mode, readonly Line[]>();

  constructor(given: LieCase, story: Story, stage: Stage) {
    this.#given = given;
    this.#story = story;
    this.#stage = stage;
    this.chosen = createRandom(given.seed).integer(0, 3);
    const more = given.source === 'http' ? honestly(given.lie.answers?.(story) ?? []) : [];
    const all = new Map([...more, ...this.#linesOf('ids')].map((line) => [line.row.id, line] as const));
    this.#answering = [...all.values()].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.row.id), Buffer.from(b.row.id)),
    );
    this.answers = new Set(all.keys());
  }

  /** The facts about a lie that the model needs. */
  told(mode: Mode): Told {
    const seen = this.#seen(mode);
    const isKept = ({ setAside }: Line): boolean =>
      setAside === undefined || (mode === 'ids' && setAside === 'by id');
    return {
      fate: this.#given.lie.fate(mode),
      rows: lastOfEach(seen.filter(isKept).map(({ row }) => row)),
      setAside: seen.filter(({ setAside }) => setAside === 'by id').map(({ row }) => row.id),
      answering: this.answers,
    };
  }

  rejects(mode: Mode): number {
    return this.#seen(mode).filter(({ setAside }) => setAside === 'nameless' || (setAside && mode !== 'ids'))
      .length;
  }

  async lie(action: string, { mode, partOfDiff }: Step): Promise<Ended> {
    const { lie, source } = this.#given;
    const { file, http } = this.#stage;
    let onWait: (() => void) | undefined;
    if (source === 'file') onWait = file.tell(this.#linesOf(mode), this.#freshStory(), lie.file);
    else http.tell(this.#telling((of) => this.#linesOf(of), lie.http));
    const options = lie.options === undefined || action === 'delta' ? action : `${action} ${lie.options}`;
    const more = partOfDiff ? { SYNCRATOR_PART_OF: 'diff' } : {};
    return await this.#run(options, { ...lie.environment, ...more }, onWait);
  }

  async honestly(action: string, rows: readonly Row[], proven = true): Promise<Ended> {
    const { file, http } = this.#stage;
    if (this.#given.source === 'file') file.tell(honestly(rows), this.#story, undefined, proven);
    else
      http.tell({
        ...this.#telling(
          () => honestly(rows),
          proven ? undefined : (answer) => void (answer.frame = 'close'),
        ),
        answering: rows.map(honest),
      });
    return await this.#run(action);
  }

  #telling(lines: Telling['lines'], http: HttpTold | undefined): Telling {
    return { lines, answering: this.#answering, http, chosen: this.chosen };
  }

  async #run(options: string, more: Record<string, string> = {}, onWait?: () => void): Promise<Ended> {
    const { runner, http, file, sinkUrl, table } = this.#stage;
    const source: Record<string, string> =
      this.#given.source === 'http' ? { SOURCE_URL: http.url } : { SOURCE_FILE: file.path };
    const environment = {
      SOURCE: 'ndjson',
      SINK: 'postgres',
      SINK_URL: sinkUrl,
      SINK_TABLE: table,
      ...source,
      ...more,
    };
    // Batches and lanes of several sizes.
    return await runner.run(
      `${options} -n ${10 + this.chosen * 30} -c ${1 + (this.chosen % 3)}`,
      environment,
      onWait,
    );
  }

  /** Chosen per case, and the same in each repetition. */
  #freshStory(): Story {
    return { ...this.#story, random: createRandom(this.#given.seed + 1) };
  }

  #linesOf(mode: Mode): readonly Line[] {
    const known = this.#lines.get(mode);
    const lines = known ?? this.#given.lie.lines?.(this.#freshStory(), mode) ?? honestly(this.#story.next);
    this.#lines.set(mode, lines);
    return lines;
  }

  /** A server tells a delta only recent changes; a file contains everything. */
  #seen(mode: Mode): readonly Line[] {
    const lines = this.#linesOf(mode);
    if (mode !== 'changes' || this.#given.source === 'file') return lines;
    const since = Date.now() - HOUR_MS;
    return lines.filter(({ row }) => Date.parse(row.updated_at) >= since);
  }
}

function lastOfEach(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

function limitsOf({ environment = {}, options }: Lie): Limits {
  const update = environment['SYNCRATOR_MAX_UPDATE_PERCENT'];
  return {
    maxDeletePercent: Number(environment['SYNCRATOR_MAX_DELETE_PERCENT'] ?? 10),
    maxDeleteRecords: 5,
    maxUpdatePercent: update === undefined ? null : Number(update),
    force: options === '--force-delete',
  };
}

function tail({ output }: Ended): string {
  return output.trim().split('\n').at(-1)?.slice(0, 400) ?? '';
}
