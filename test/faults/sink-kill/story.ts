/**
 * One kill and what follows: the job is cut at a statement, then tried again, resumed, or followed by another job;
 * in half of the stories a second attempt with older data lives beside it. States at each step what must be live.
 */
import { Client } from 'pg';
import { type Attempt, attempt, type AttemptEnd, DONE_ALREADY } from '../../job/support/attempt.ts';
import { type HeldAttempt, startHeld } from '../../job/support/held-attempt.ts';
import { difference, named, readRows, type Rows, rowsOf, same } from '../../job/support/live-rows.ts';
import { memorySource } from '../../job/support/memory-source.ts';
import { type Cut, startStatementProxy } from '../../job/support/statement-proxy.ts';
import type { Random } from '../random.ts';
import { inWords, type Plan } from './plan.ts';
import { type HttpSource, startChild } from './child.ts';
import { readCatalogue } from './neighbourhood.ts';
import { type Seen, watchTable } from './readers.ts';
import type { Server } from './server.ts';
import { BATCH, newest, olderThan, owedAfter, type World } from './world.ts';

export type Told = {
  readonly violations: string[];
  readonly cut: boolean;
  readonly second: string;
  readonly seen: Seen;
};

const JOB = 10;
const OLDER_JOB = 9;

export async function tellStory(
  plan: Plan,
  { server, world, http, random }: { server: Server; world: World; http: HttpSource; random: Random },
): Promise<Told> {
  await using database = await server.database(world.template.name);
  const client = new Client({ connectionString: database.url, query_timeout: 60_000 });
  await client.connect();
  try {
    return await new Story(plan, { url: database.url, client, world, http, random }).tell();
  } finally {
    await client.end();
  }
}

type Scene = { url: string; client: Client; world: World; http: HttpSource; random: Random };

class Story {
  readonly #plan: Plan;
  readonly #scene: Scene;
  readonly #violations: string[] = [];
  #second: HeldAttempt | null = null;
  #pictures: Rows[] = [];

  constructor(plan: Plan, scene: Scene) {
    this.#plan = plan;
    this.#scene = scene;
  }

  async tell(): Promise<Told> {
    const { action, second, follows, how } = this.#plan;
    const { url, client, world, random } = this.#scene;
    const before = await readRows(client);
    const catalogue = await readCatalogue(client);
    const older = olderThan(world.second, random);
    if (second?.begins === 'first') await this.#beginSecond(older);
    const source = memorySource(newest(older, random));
    const owed = owedAfter(action, { live: before, source: source.records, first: world.first });
    const olderAction = this.#secondIs()?.action ?? action;
    const ofSecond = owedAfter(olderAction, { live: before, source: older, first: world.first });
    this.#pictures = second ? [before, owed, ofSecond] : [before, owed];
    const watch = await watchTable(url, () => this.#pictures);
    const job: Attempt = {
      url,
      action,
      job: JOB,
      source,
      batchSize: BATCH,
      attempt: 2,
      before: action === 'rollback' ? 2 : null,
    };

    const killed = await this.#runKilled(job);
    await this.#owes('after the kill', this.#pictures);
    if (second?.begins === 'between') await this.#beginSecond(older);
    let end: AttemptEnd = killed.end;
    if (how !== 'connection' && killed.cut) {
      end = await this.#runFollowing(this.#following(job, follows, killed.end.checkpoint));
    }
    if (end.code !== 'ok') this.#violate(`what follows ended ${end.code}: ${end.message}`);
    this.#second?.letGo();
    const beside = (await this.#second?.ended) ?? null;
    // The second attempt may be the one that did the job's step: then the job owes its older data.
    const bySecond =
      second?.who !== 'older job' &&
      beside?.code === 'ok' &&
      beside.message !== DONE_ALREADY &&
      end.message.includes(DONE_ALREADY);
    await this.#owes('in the end', [bySecond ? ofSecond : owed]);
    await this.#settle(job);
    const seen = await watch.stop();
    if ((await readCatalogue(client)) !== catalogue)
      this.#violate('the catalogue of the schema public has changed');
    return {
      violations: [...this.#violations, ...seen.violations],
      cut: killed.cut,
      second: beside?.code ?? 'none',
      seen,
    };
  }

  async #runKilled(job: Attempt): Promise<{ end: AttemptEnd; cut: boolean }> {
    const { how, at, when, second } = this.#plan;
    const cut: Cut = { at, when, ends: how === 'connection' ? 'connection' : 'program' };
    let kill = (): void => {};
    await using proxy = await startStatementProxy({
      url: job.url,
      cut,
      onCut: () => kill(),
      onStatement: (number) => {
        if (second?.goesOn.during === 'killed' && number === second.goesOn.at) this.#second?.letGo();
      },
    });
    const of = { ...job, url: proxy.url };
    if (how !== 'program')
      return { end: await attempt({ ...of, patienceMs: how === 'connection' ? 30_000 : 0 }), cut: proxy.cut };
    this.#scene.http.put(job.source ? newestOf(job) : []);
    const child = startChild(of, this.#scene.http);
    kill = child.kill;
    const end = await child.ended;
    return { end: { ...end, checkpoint: await this.#lastCheckpoint(job) }, cut: proxy.cut };
  }

  /** The report that the process would have sent, given the time. */
  async #lastCheckpoint({ action }: Attempt): Promise<AttemptEnd['checkpoint']> {
    const { rows } = await this.#scene.client.query<{ id: string; mode: 'everything'; since: Date | null }>(
      'SELECT id, mode, since FROM syncrator.loads ORDER BY began DESC LIMIT 1',
    );
    const [load] = rows;
    if (!load || action === 'rollback') return null;
    return {
      action: 'load',
      mode: load.mode,
      load_id: load.id,
      since: load.since?.toISOString() ?? null,
      total: null,
    };
  }

  #following(job: Attempt, follows: Plan['follows'], checkpoint: AttemptEnd['checkpoint']): Attempt {
    if (follows === 'again') return { ...job, attempt: 3, checkpoint };
    if (follows === 'resume') return { ...job, job: JOB + 1, origin: JOB, attempt: 1, checkpoint };
    return { ...job, job: JOB + 1, attempt: 1 };
  }

  async #runFollowing(of: Attempt): Promise<AttemptEnd> {
    const { second } = this.#plan;
    await using proxy = await startStatementProxy({
      url: of.url,
      onStatement: (number) => {
        if (second?.goesOn.during === 'following' && number === second.goesOn.at) this.#second?.letGo();
      },
    });
    return await attempt({ ...of, url: proxy.url, patienceMs: 30_000 });
  }

  /** Null without one. */
  #secondIs(): Attempt | null {
    const { second, action } = this.#plan;
    if (second === null) return null;
    const { url } = this.#scene;
    // Its listing may be older than the time at which it began to read: the margin is for that.
    const late = second.stands === 'opened' || second.begins === 'between';
    const of = { url, batchSize: BATCH, marginMs: late ? 60_000 : 0 };
    if (second.who === 'older job')
      return { ...of, action: action === 'rollback' ? 'sync' : action, job: OLDER_JOB };
    return { ...of, action, job: JOB, attempt: second.who === 'same attempt' ? 2 : 1 };
  }

  async #beginSecond(records: readonly { id: string; updated_at: string; record: object }[]): Promise<void> {
    const of = this.#secondIs();
    if (!of || !this.#plan.second) return;
    this.#second = startHeld({
      attempt: of,
      records: records as Parameters<typeof startHeld>[0]['records'],
      stands: this.#plan.second.stands,
    });
    await this.#second.standing;
  }

  /**
   * Nothing is lost for good: the next job of the kind finds everything, and a rollback to before the first job
   * restores the original table.
   */
  async #settle(job: Attempt): Promise<void> {
    const { action, url, client, world } = { ...this.#plan, ...this.#scene };
    const before = await readRows(client);
    if (action !== 'rollback' && job.source) {
      const source = memorySource([...newestOf(job), named('last', 'last', new Date().toISOString())]);
      const live = await readRows(client);
      const owed = owedAfter(action, { live, source: source.records, first: world.first });
      this.#pictures = [...this.#pictures, owed];
      const end = await attempt({ url, action, job: JOB + 5, source, patienceMs: 30_000 });
      if (end.code !== 'ok') this.#violate(`the next job ended ${end.code}: ${end.message}`);
      await this.#owes('after the next job', [owed]);
      await this.#leavesNothing();
    }
    const { rows } = await client.query<{ job: string }>(
      'SELECT job_id AS job FROM syncrator.change_sets WHERE job_id >= $1 ORDER BY id LIMIT 1',
      [OLDER_JOB],
    );
    const first = rowsOf(world.second);
    this.#pictures = [...this.#pictures, before, first];
    const end = await attempt({
      url,
      action: 'rollback',
      job: JOB + 6,
      before: Number(rows[0]?.job),
      patienceMs: 30_000,
    });
    if (end.code !== 'ok') this.#violate(`the rollback ended ${end.code}: ${end.message}`);
    await this.#owes('after the rollback before all of it', [first]);
  }

  async #leavesNothing(): Promise<void> {
    const { rows } = await this.#scene.client.query<{ what: string }>(
      `SELECT 'a set that is open, of ' || step_key AS what FROM syncrator.change_sets WHERE state = 'open'
       UNION ALL SELECT relname FROM pg_class WHERE starts_with(relname, 'staging') AND relkind = 'r'
       UNION ALL SELECT 'the load ' || id FROM syncrator.loads`,
    );
    for (const { what } of rows) this.#violate(`${what} was left behind`);
  }

  async #owes(when: string, pictures: readonly Rows[]): Promise<void> {
    const live = await readRows(this.#scene.client);
    if (pictures.some((one) => same(one, live))) return;
    this.#violate(`${when}: ${difference(live, pictures.at(-1) ?? live)}`);
  }

  #violate(what: string): void {
    this.#violations.push(`${inWords(this.#plan)}: ${what}`);
  }
}

function newestOf({ source }: Attempt) {
  return (source as ReturnType<typeof memorySource>).records;
}
