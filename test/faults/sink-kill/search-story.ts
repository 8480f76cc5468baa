/**
 * One kill of a job that writes OpenSearch or Solr, and what follows: the job is cut at a request, then tried again,
 * resumed, or followed by another job; in half of the stories a second attempt with older data lives beside it. States
 * at each step what must be live.
 */
import { type Attempt, attempt, type AttemptEnd, DONE_ALREADY } from '../../job/support/attempt.ts';
import { type HeldAttempt, startHeld } from '../../job/support/held-attempt.ts';
import { difference, named, type Rows, rowsOf } from '../../job/support/live-rows.ts';
import { type MemorySource, memorySource } from '../../job/support/memory-source.ts';
import type { Random } from '../random.ts';
import { type HttpSource, startChild } from './child.ts';
import { inWords, type Plan } from './plan.ts';
import { startRequestProxy } from './request-proxy.ts';
import type { SearchPlace } from './search-place.ts';
import { isOwed, type Pictures, watchAlias } from './search-readers.ts';
import { BATCH, newest, olderThan, owedAfter, type World } from './world.ts';

const JOB = 10;
const OLDER_JOB = 9;
const PATIENCE_MS = 30_000;

type Scene = {
  readonly place: SearchPlace;
  readonly world: Pick<World, 'first' | 'second'>;
  readonly http: HttpSource;
  readonly random: Random;
};

export type SearchTold = {
  readonly violations: readonly string[];
  readonly cut: boolean;
  readonly reads: number;
};

/** Two syncs: the place before each story. */
export async function prepare({ place, world }: Pick<Scene, 'place' | 'world'>): Promise<void> {
  for (const [nth, records] of [world.first, world.second].entries()) {
    const { url, sink } = place;
    const end = await attempt({ url, sink, action: 'sync', job: nth + 1, source: memorySource(records) });
    if (end.code !== 'ok')
      throw new Error(`the sync ${nth + 1} before a story ended ${end.code}: ${end.message}`);
  }
}

export async function tellSearchStory(plan: Plan, scene: Scene): Promise<SearchTold> {
  await prepare(scene);
  return await new SearchStory(plan, scene).tell();
}

class SearchStory {
  readonly #plan: Plan;
  readonly #scene: Scene;
  readonly #violations: string[] = [];
  #second: HeldAttempt | null = null;
  #pictures: Pictures = { states: [], mayMix: false };

  constructor(plan: Plan, scene: Scene) {
    this.#plan = plan;
    this.#scene = scene;
  }

  async tell(): Promise<SearchTold> {
    const { action, second, how, follows } = this.#plan;
    const { place, world, random } = this.#scene;
    const before = await place.rows();
    const older = olderThan(world.second, random);
    if (second?.begins === 'first') await this.#beginSecond(older);
    const source = memorySource(newest(older, random));
    const owed = owedAfter(action, { live: before, source: source.records, first: world.first });
    const ofSecond = owedAfter(this.#secondIs()?.action ?? action, {
      live: before,
      source: older,
      first: world.first,
    });
    const mayMix = action === 'delta' || action === 'delete';
    this.#pictures = { states: second ? [before, owed, ofSecond] : [before, owed], mayMix };
    const watch = watchAlias(place.seen, () => this.#pictures);
    const job = this.#job(source);
    const killed = await this.#runKilled(job, source);
    if (!isOwed(await place.rows(), this.#pictures))
      this.#differs('after the kill', await place.rows(), owed);
    if (second?.begins === 'between') await this.#beginSecond(older);
    let end: AttemptEnd = killed.end;
    if (how !== 'connection' && killed.cut)
      end = await this.#runFollowing(following(job, follows, killed.end));
    if (end.code !== 'ok') this.#violate(`what follows ended ${end.code}: ${end.message}`);
    this.#second?.letGo();
    const beside = (await this.#second?.ended) ?? null;
    // The second attempt may be the one that did the job's step: then the job owes its older data.
    const bySecond =
      second?.who !== 'older job' &&
      beside?.code === 'ok' &&
      beside.message !== DONE_ALREADY &&
      end.message.includes(DONE_ALREADY);
    await this.#owes('in the end', bySecond ? ofSecond : owed);
    await this.#settle(source);
    const { reads, violations } = await watch.stop();
    for (const words of violations) this.#violate(words);
    return { violations: this.#violations, cut: killed.cut, reads };
  }

  #job(source: MemorySource): Attempt {
    const { action } = this.#plan;
    const { url, sink } = this.#scene.place;
    const before = action === 'rollback' ? 2 : null;
    return { url, sink, action, job: JOB, source, batchSize: BATCH, attempt: 2, before };
  }

  async #runKilled(job: Attempt, source: MemorySource): Promise<{ end: AttemptEnd; cut: boolean }> {
    const { how, at, when, second, action } = this.#plan;
    let kill = (): void => {};
    await using proxy = await startRequestProxy({
      url: job.url,
      cut: { at, when, ends: how === 'connection' ? 'connection' : 'program' },
      onCut: () => kill(),
      onRequest: (number) => {
        if (second?.goesOn.during === 'killed' && number === second.goesOn.at) this.#second?.letGo();
      },
    });
    const of = { ...job, url: proxy.url };
    if (how !== 'program')
      return {
        end: await attempt({ ...of, patienceMs: how === 'connection' ? PATIENCE_MS : 0 }),
        cut: proxy.cut,
      };
    this.#scene.http.put(source.records);
    const child = startChild(of, this.#scene.http, this.#scene.place.program(proxy.url, action));
    kill = child.kill;
    return { end: await child.ended, cut: proxy.cut };
  }

  async #runFollowing(of: Attempt): Promise<AttemptEnd> {
    const { second } = this.#plan;
    await using proxy = await startRequestProxy({
      url: of.url,
      onRequest: (number) => {
        if (second?.goesOn.during === 'following' && number === second.goesOn.at) this.#second?.letGo();
      },
    });
    return await attempt({ ...of, url: proxy.url, patienceMs: PATIENCE_MS });
  }

  /** Null without one. */
  #secondIs(): Attempt | null {
    const { second, action } = this.#plan;
    if (second === null) return null;
    const { url, sink } = this.#scene.place;
    // Its listing may be older than the time at which it began to read: the margin is for that.
    const late = second.stands === 'opened' || second.begins === 'between';
    const of = { url, sink, batchSize: BATCH, marginMs: late ? 60_000 : 0 };
    if (second.who === 'older job')
      return { ...of, action: action === 'rollback' ? 'sync' : action, job: OLDER_JOB };
    return { ...of, action, job: JOB, attempt: second.who === 'same attempt' ? 2 : 1 };
  }

  async #beginSecond(records: MemorySource['records']): Promise<void> {
    const of = this.#secondIs();
    if (!of || !this.#plan.second) return;
    this.#second = startHeld({ attempt: of, records, stands: this.#plan.second.stands });
    await this.#second.standing;
  }

  /** Nothing is lost for good: the next sync finds everything, and its rollback restores what was live before it. */
  async #settle(source: MemorySource): Promise<void> {
    const { url, sink, rows, leftovers } = this.#scene.place;
    const before = await rows();
    const next = memorySource([...source.records, named('last', 'last', new Date().toISOString())]);
    const owed = rowsOf(next.records);
    this.#pictures = { states: [...this.#pictures.states, before, owed], mayMix: this.#pictures.mayMix };
    const sync = await attempt({
      url,
      sink,
      action: 'sync',
      job: JOB + 5,
      source: next,
      patienceMs: PATIENCE_MS,
    });
    if (sync.code !== 'ok') this.#violate(`the next sync ended ${sync.code}: ${sync.message}`);
    await this.#owes('after the next sync', owed);
    for (const what of await leftovers()) this.#violate(`${what} was left behind`);
    const back = await attempt({ url, sink, action: 'rollback', job: JOB + 6, patienceMs: PATIENCE_MS });
    if (back.code !== 'ok') this.#violate(`the rollback ended ${back.code}: ${back.message}`);
    await this.#owes('after the rollback of it', before);
  }

  async #owes(when: string, owed: Rows): Promise<void> {
    const rows = await this.#scene.place.rows();
    if (!isOwed(rows, { states: [owed], mayMix: false })) this.#differs(when, rows, owed);
  }

  #differs(when: string, rows: Rows, owed: Rows): void {
    this.#violate(`${when}: ${difference(rows, owed)}`);
  }

  #violate(what: string): void {
    this.#violations.push(`${inWords(this.#plan, 'request')}: ${what}`);
  }
}

function following(job: Attempt, follows: Plan['follows'], { checkpoint }: AttemptEnd): Attempt {
  if (follows === 'again') return { ...job, attempt: 3, checkpoint };
  if (follows === 'resume') return { ...job, job: JOB + 1, origin: JOB, attempt: 1, checkpoint };
  return { ...job, job: JOB + 1, attempt: 1 };
}
