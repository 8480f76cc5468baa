/**
 * Kills the sync program before and after every statement that it sends to a real Postgres, through a proxy that
 * counts them (P2, P6), and plays histories of jobs with rollbacks to before any of them (P7). Compares the user's
 * catalogue (P4), and watches readers throughout (P5). Then does the same at every request to a real OpenSearch and a
 * real Solr, whose readers search through an alias (P2, P6, P7), and plays histories of jobs, lies, answers and kills there (P3). Needs no api. Of five kills one is a SIGKILL of the real
 * program (src/job/main.ts, a separate process, reading over HTTP); the others run the same actions and sink in
 * this process and cut its connections: all of them, as a kill does, or one, which it must survive.
 */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { Client } from 'pg';
import { ACTIONS, attempt } from '../../job/support/attempt.ts';
import { playHistory } from '../../job/support/history.ts';
import { histories } from '../../job/support/history-chapters.ts';
import { memorySource } from '../../job/support/memory-source.ts';
import { startStatementProxy } from '../../job/support/statement-proxy.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { type HttpSource, startChild, startHttpSource } from '../sink-kill/child.ts';
import { NEIGHBOURHOOD } from '../sink-kill/neighbourhood.ts';
import { watchTable } from '../sink-kill/readers.ts';
import { playInSearch } from '../sink-kill/search-histories.ts';
import { killInSearch } from '../sink-kill/search-kills.ts';
import { openSearchServer, solrServer } from '../sink-kill/search-place.ts';
import { type Server, startServer } from '../sink-kill/server.ts';
import { type Counts, inWords, makePlans } from '../sink-kill/plan.ts';
import { tellStory } from '../sink-kill/story.ts';
import { BATCH, makeWorld, newest, type World } from '../sink-kill/world.ts';

const NOTICED_WITHIN_MS = 30_000;
const KILLS = 300;
const SEARCH_KILLS = 60;
const HISTORIES = 20;
const SEARCH_HISTORIES = 40;
const JOBS = 20;

export const sinkKill: Program = {
  name: 'sink-kill',
  summary:
    'the sync program killed at every statement and request to a sink, beside a second attempt; histories with rollbacks',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    await using server = await startServer();
    await using http = await startHttpSource();
    const violations: string[] = [];
    await proveThatReadersNotice(server);
    const world = await makeWorld(server);
    const statements = await countStatements({ server, world, http, random });
    say(`statements of a plain run: ${JSON.stringify(statements)}`);

    const wanted = amount(KILLS, 20);
    const [seconds, longest, baseline]: [Record<string, number>, number[], number[]] = [{}, [], []];
    let [kills, reads, withSecond] = [0, 0, 0];
    const plans = makePlans(wanted, statements, random);
    for (const [nth, plan] of plans.entries()) {
      const told = await tellStory(plan, { server, world, http, random: random.fork() });
      if (told.cut) kills += 1;
      if (told.cut && plan.second) withSecond += 1;
      if (plan.second) seconds[told.second] = (seconds[told.second] ?? 0) + 1;
      reads += told.seen.reads;
      longest.push(told.seen.longest);
      baseline.push(told.seen.longestBaseline);
      for (const violation of told.violations) say(`VIOLATION ${violation}`);
      violations.push(...told.violations);
      if (nth % 50 === 49) say(`${nth + 1} of ${plans.length}: ${inWords(plan)}`);
      if (kills >= wanted) break;
    }

    const counts = { jobs: 0, rollbacks: 0, exact: 0, killed: 0, purged: 0, refused: 0 };
    const tales = fc.sample(histories(JOBS), { seed, numRuns: amount(HISTORIES, 2) });
    for (const [nth, chapters] of tales.entries()) {
      const played = await playOne(server, chapters);
      violations.push(...played.violations.map((what) => `history ${nth}: ${what}`));
      for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += played.counts[key];
    }
    say(`${tales.length} histories: ${JSON.stringify(counts)}`);
    const into: Record<string, object> = {};
    const wantedInSearch = amount(SEARCH_KILLS, 6);
    const wantedTales = amount(SEARCH_HISTORIES, 3);
    let talesInSearch = 0;
    for (const start of [openSearchServer, solrServer]) {
      await using search = await start();
      const told = await killInSearch({ server: search, http, random, wanted: wantedInSearch, say });
      const { violations: found, ...figures } = told;
      const played = await playInSearch({ server: search, seed, wanted: wantedTales, say });
      violations.push(...found, ...played.violations);
      into[search.kind] = { ...figures, histories: played.histories, of_histories: played.counts };
      kills += figures.kills;
      talesInSearch += played.histories;
    }
    return {
      n: kills + tales.length + talesInSearch,
      expected: wanted + 2 * (wantedInSearch + wantedTales) + tales.length,
      violations,
      kills,
      with_second_attempt: withSecond,
      second_attempts_ended: seconds,
      statements,
      ...into,
      histories: tales.length,
      of_histories: counts,
      reads,
      longest_read_ms: Math.round(Math.max(...longest)),
      longest_baseline_read_ms: Math.round(Math.max(...baseline)),
    };
  },
};

type Scene = { server: Server; world: World; http: HttpSource; random: Random };

/** Number of statements in an undisturbed run: the kills are spread over all of them. */
async function countStatements({ server, world, http, random }: Scene): Promise<Counts> {
  const counts: Partial<Counts> = {};
  for (const action of ACTIONS) {
    const count = async (how: 'program' | 'process'): Promise<number> => {
      await using database = await server.database(world.template.name);
      await using proxy = await startStatementProxy({ url: database.url });
      const source = memorySource(newest(world.second, random));
      const before = action === 'rollback' ? 2 : null;
      const of = { url: proxy.url, action, job: 10, source, batchSize: BATCH, before };
      http.put(source.records);
      const end = how === 'process' ? await attempt(of) : await startChild(of, http).ended;
      if (end.code !== 'ok') throw new Error(`a plain ${action} ended ${end.code}: ${end.message}`);
      return proxy.statements.length;
    };
    counts[action] = { process: await count('process'), program: await count('program') };
  }
  return counts as Counts;
}

async function playOne(server: Server, chapters: Parameters<typeof playHistory>[1]) {
  await using database = await server.database();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(NEIGHBOURHOOD);
  await client.end();
  return await playHistory(database.url, chapters);
}

/** Proves that the readers notice a lock that blocks them; otherwise their silence would mean nothing. */
async function proveThatReadersNotice(server: Server): Promise<void> {
  await using database = await server.database();
  const client = new Client({ connectionString: database.url, query_timeout: NOTICED_WITHIN_MS });
  await client.connect();
  try {
    await client.query(`${NEIGHBOURHOOD} INSERT INTO cities VALUES ('r100', now(), '{}')`);
    const watch = await watchTable(database.url, () => []);
    await client.query('BEGIN');
    // It waits for the reader that holds a transaction open, and the other reader queues behind it.
    const locked = client.query('LOCK TABLE cities IN ACCESS EXCLUSIVE MODE');
    for (const deadline = Date.now() + NOTICED_WITHIN_MS; watch.violations.length === 0; await wait(20))
      if (Date.now() > deadline) throw new Error('the readers notice no lock');
    await watch.stop();
    await locked;
  } finally {
    await client.end();
  }
}
