/** Plays a history on a real sink, and compares what readers see after each run with the worlds that are possible. */
import type { SearchPlace } from '../../../faults/sink-kill/search-place.ts';
import { type Attempt, type AttemptEnd, DONE_ALREADY } from '../../support/attempt.ts';
import type { Rows } from '../../support/live-rows.ts';
import { writerOf } from '../../support/writer.ts';
import {
  type Asked,
  type Ended,
  listening,
  previewOf,
  runKilled,
  undisturbed,
  unlikePreview,
} from './attempts.ts';
import type { Chapter, History, Kill } from './chapters.ts';
import { Counts } from './counts.ts';
import { type Effect, killed, type Outcome, type Seen, settle } from './outcome.ts';
import { wrongLosses } from './rights.ts';
import { runOf } from './run-of-act.ts';
import * as runs from './runs.ts';
import { StorySource } from './story-source.ts';
import { tell, type Telling, toldBy } from './telling.ts';
import { distinct, EMPTY, isDone, opened, withDone, type World } from './world.ts';

const BATCH = 8;

export type PlayedPlace = Pick<
  SearchPlace,
  'url' | 'sink' | 'isChange' | 'rows' | 'seen' | 'leftovers' | 'keepsWhileLoading'
>;

export type Played = { readonly violations: readonly string[]; readonly counts: Counts };

export async function playHistory(place: PlayedPlace, { proven, chapters }: History): Promise<Played> {
  const player = new Player(place);
  await player.begin(proven);
  for (const chapter of chapters) {
    // What follows a violation says nothing more.
    if (player.violations.length > 0) break;
    await player.play(chapter);
  }
  if (player.violations.length === 0) await player.end();
  return player;
}

type PlainLie = Parameters<typeof tell>[1];
const HONEST = { kind: 'honest' } as const;

/** The attempt before this one, and what was live before it. */
type Earlier = {
  readonly end: AttemptEnd;
  readonly telling: Telling;
  readonly live: ReadonlySet<string>;
  readonly expect: string | null;
};

class Player implements Played {
  readonly violations: string[] = [];
  readonly counts = new Counts();
  readonly #place: PlayedPlace;
  readonly #source = new StorySource();
  #worlds: readonly World[] = [EMPTY];
  #held: readonly string[] = [];
  #rows: Rows = new Map();
  #job = 0;
  #chapter = 0;
  #lie: PlainLie = HONEST;

  constructor(place: PlayedPlace) {
    this.#place = place;
  }

  async begin(proven: boolean): Promise<void> {
    this.#job = 1;
    await this.#attempt(this.#sync(proven ? HONEST : { kind: 'cut', keeps: 1 }, {}));
  }

  async play({ act, lie: next, kill, ...change }: Chapter): Promise<void> {
    const lie = next.kind === 'still' ? this.#lie : next;
    this.#lie = lie;
    this.#chapter += 1;
    this.#job += 1;
    this.#source.change(change, this.#chapter);
    if (act.kind !== 'job') {
      const [world = EMPTY] = this.#worlds.map(opened);
      const run = runOf(act, this.#jobOf(lie), { world, held: this.#held });
      return void (await this.#play(run, kill));
    }
    const { action } = act;
    if (action !== 'diff') return void (await this.#play(this.#listing(action, lie, act), kill));
    const [first, second] = kill && kill.at < 0.5 ? [kill, null] : [null, kill];
    const { force } = act;
    const diff = { partOfDiff: true, force };
    if (await this.#play(this.#listing('delta', lie, diff), first))
      await this.#play(this.#listing('delete', lie, diff), second);
  }

  /** Whatever has happened, the next sync is whole and leaves nothing behind. */
  async end(): Promise<void> {
    this.#job += 1;
    const run = this.#sync(HONEST, { force: true });
    if (!(await this.#play(run, null))) return;
    for (const what of await this.#place.leftovers()) this.violations.push(`${what} was left behind`);
  }

  #jobOf(lie: PlainLie) {
    return { job: this.#job, telling: tell(this.#source.truth, lie, new Date().toISOString()) };
  }

  #listing(
    action: 'sync' | 'delta' | 'delete',
    lie: PlainLie,
    { force = false, partOfDiff = false }: { force?: boolean; partOfDiff?: boolean },
  ): runs.Run {
    const { keepsWhileLoading } = this.#place;
    return runs.listing(this.#jobOf(lie), {
      action,
      force,
      partOfDiff,
      chapter: this.#chapter,
      keepsWhileLoading,
    });
  }

  #sync(lie: PlainLie, of: { force?: boolean }): runs.Run {
    return this.#listing('sync', lie, of);
  }

  /** @returns true if the step is done in the end */
  async #play(run: runs.Run, kill: Kill | null): Promise<boolean> {
    const before = new Set(this.#worlds.flatMap((world) => [...opened(world).live.keys()]));
    const first = await this.#attempt(run, { kill });
    if (!first.cut || first.end.code === 'ok' || kill === null) return first.end.code === 'ok';
    // Only the retry tells whether a record was forgotten everywhere.
    if (kill.next === 'another job' && run.kind !== 'forget') return false;
    const telling = kill.honest ? this.#jobOf(HONEST).telling : run.telling;
    const isResume = kill.next === 'resume' && run.kind === 'sync';
    if (isResume) this.#job += 1;
    const again = isResume ? this.#resumed(run) : run;
    const earlier = { end: first.end, telling: run.telling, live: before, expect: first.expect };
    const second = await this.#attempt({ ...again, telling }, { earlier, attempt: isResume ? 1 : 2 });
    return second.end.code === 'ok';
  }

  /** A new job goes on where the killed one was. */
  #resumed(run: runs.Run): runs.Run {
    const force = run.of.force ?? false;
    const { keepsWhileLoading } = this.#place;
    const job = { job: this.#job, origin: run.step.job, telling: run.telling };
    return runs.listing(job, { action: 'sync', force, chapter: this.#chapter, keepsWhileLoading });
  }

  async #attempt(
    run: runs.Run,
    more: { kill?: Kill | null; earlier?: Earlier; attempt?: number } = {},
  ): Promise<Ended & { expect: string | null }> {
    const { kill = null, earlier, attempt: nth = 1 } = more;
    const asked: Asked = { after: null };
    const plain: Attempt = {
      ...run.of,
      ...run.step,
      action: run.of.action,
      url: this.#place.url,
      sink: this.#place.sink,
      attempt: nth,
      batchSize: BATCH,
      source: listening(run.telling, asked),
      checkpoint: earlier?.end.checkpoint ?? null,
    };
    const preview = run.of.action === 'rollback' && !earlier ? await previewOf(plain) : null;
    const expect = earlier?.expect ?? preview?.digest ?? null;
    const of = { ...plain, expect };
    const { end, cut } = kill
      ? await runKilled(of, { kill, most: runs.CHANGES[run.kind], isChange: this.#place.isChange })
      : await undisturbed(of);
    // Readers see the whole work of a job that has ended well, without any help.
    const rows = await (end.code === 'ok' && !cut ? this.#place.seen() : this.#place.rows());
    const seen: Seen = { code: end.code, rows, held: await this.#readHeld() };
    const words = inWords(run, { kill, nth, cut, end });
    const isAlone = end.code === 'ok' && !cut && this.#worlds.every(({ pending }) => pending === null);
    const unlike = preview && isAlone ? unlikePreview(preview, { before: this.#rows, after: rows }) : null;
    if (unlike !== null) this.violations.push(`chapter ${this.#chapter}, ${words}: ${unlike}`);
    this.#check(run, { seen, asked, cut, earlier, end, words });
    return { end, cut, expect };
  }

  #check(
    run: runs.Run,
    of: {
      seen: Seen;
      asked: Asked;
      cut: boolean;
      earlier: Earlier | undefined;
      end: AttemptEnd;
      words: string;
    },
  ): void {
    const { seen, asked, cut, earlier, end, words } = of;
    const violate = (why: string): void =>
      void this.violations.push(`chapter ${this.#chapter}, ${words}: ${why}`);
    const since = run.kind === 'delta' ? (asked.since ?? new Date()) : null;
    const before = run.kind === 'sync' ? (earlier?.telling ?? null) : null;
    const resumed = asked.after === null ? null : { after: asked.after, before };
    const told = toldBy(run.telling, { since, batchSize: BATCH, resumed });
    const ours = new Set([...seen.rows.keys()].filter((id) => earlier?.live.has(id) === false));
    const bases = this.#worlds.flatMap((world) => [world, opened(world)]);
    const wrong = bases.map((world) => wrongLosses(world, seen.rows, run.permission(told)));
    if (!wrong.includes(null)) violate(wrong[0] ?? '');
    const isApplied = end.code === 'ok' && !end.message.includes(DONE_ALREADY);
    const lacks = [...told.rows].filter(([id, text]) => seen.rows.get(id) !== text).map(([id]) => id);
    if (isApplied && run.kind === 'sync' && lacks.length > 0)
      violate(`[${lacks.join(' ')}] are not live as listed`);

    const reasons: string[] = [];
    const next: World[] = [];
    for (const world of this.#worlds) {
      const missed =
        asked.since && run.kind === 'delta'
          ? this.#source.missedSince(asked.since, opened(world).readTo)
          : [];
      if (missed.length > 0) reasons.push(`[${missed.join(' ')}] were changed before what it reads`);
      else
        for (const outcome of outcomesOf(world, run, { told, ours }, cut)) {
          const settled = settle(outcome, seen);
          if (typeof settled === 'string') reasons.push(settled);
          else next.push(settled);
        }
    }
    if (next.length === 0) violate([...new Set(reasons)].join('; or '));
    this.#count(run, { seen, cut, after: next[0] });
    this.#worlds = distinct(next);
    this.#held = seen.held;
    this.#rows = seen.rows;
  }

  #count(run: runs.Run, { seen, cut, after }: { seen: Seen; cut: boolean; after: World | undefined }): void {
    const { counts } = this;
    const [before] = this.#worlds;
    const gone = [...(before?.live.keys() ?? [])].filter((id) => !seen.rows.has(id)).length;
    const more = [...seen.rows.keys()].filter((id) => before?.live.has(id) === false).length;
    counts.runs += 1;
    counts.held += seen.held.length;
    if (cut) counts.killed += 1;
    else if (seen.code !== 'ok') counts.refused += 1;
    else if (run.kind === 'rollback') counts.rolledBack += 1;
    else if (run.kind === 'restore') counts.restored += more;
    else if (run.kind === 'forget' && after) counts.forgotten += 1;
    else if (run.kind === 'remove') counts.approved += gone;
    else if (run.of.force) counts.forced += gone;
    else counts.removed += gone;
  }

  /** As the program tells it to the api. */
  async #readHeld(): Promise<string[]> {
    const { url, sink } = this.#place;
    const reader = sink({ url, action: 'sync', job: 0 }, writerOf({}));
    const ids: string[] = [];
    for await (const records of reader.held?.read() ?? []) ids.push(...records.map(({ id }) => id));
    await reader.close();
    return ids;
  }
}

function outcomesOf(
  world: World,
  { step, kind, of, effects }: runs.Run,
  heard: runs.Heard,
  cut: boolean,
): readonly Outcome[] {
  const open = opened(world);
  const already = (after: World): Effect[] => [
    { exits: ['ok'], world: after, begun: open, how: 'nothing', removes: [] },
  ];
  // To finish the interrupted rollback of another run is the rollback that this run was asked for, if it is that one.
  const undoes = world.pending?.undoes ?? null;
  const { before = null } = of;
  const isFinished = kind === 'rollback' && undoes !== null && (before === null || before === undoes);
  const all = isDone(open, step)
    ? already(open)
    : isFinished
      ? already(withDone(open, step))
      : effects(open, heard);
  return cut ? [{ exits: null, world }, ...all.flatMap((effect) => killed(open, effect, step.job))] : all;
}

function inWords(
  { kind, step, of }: runs.Run,
  { kill, nth, cut, end }: { kill: Kill | null; nth: number; cut: boolean; end: AttemptEnd },
): string {
  const which = `${of.force ? 'forced ' : ''}${kind} of job ${step.job}${nth > 1 ? ` (attempt ${nth})` : ''}`;
  const how =
    kill && cut ? `, killed ${kill.when} change ${1 + Math.floor(kill.at * runs.CHANGES[kind])}` : '';
  return `${which}${how}, ended ${end.code}${end.message === '' ? '' : ` (${end.message})`}`;
}
