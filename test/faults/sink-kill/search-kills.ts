/** Kills the sync program before and after every request that it sends to OpenSearch or Solr (P2, P6, P7). */
import { ACTIONS, attempt } from '../../job/support/attempt.ts';
import { memorySource } from '../../job/support/memory-source.ts';
import type { Random } from '../random.ts';
import type { HttpSource } from './child.ts';
import { type Counts, inWords, makePlans, type Plan } from './plan.ts';
import { startRequestProxy } from './request-proxy.ts';
import type { SearchServer } from './search-place.ts';
import { prepare, tellSearchStory } from './search-story.ts';
import { BATCH, makeRecords, newest } from './world.ts';

export type SearchKills = {
  readonly kills: number;
  readonly with_second_attempt: number;
  readonly reads: number;
  readonly requests: Counts;
  readonly violations: readonly string[];
};

export async function killInSearch(of: {
  server: SearchServer;
  http: HttpSource;
  random: Random;
  wanted: number;
  say: (line: string) => void;
}): Promise<SearchKills> {
  const { server, http, random, wanted, say } = of;
  const world = makeRecords();
  const requests = await countRequests({ server, random, world });
  say(`requests of a plain run into ${server.kind}: ${JSON.stringify(requests)}`);
  const violations: string[] = [];
  let [kills, withSecond, reads] = [0, 0, 0];
  for (const [nth, made] of makePlans(wanted, requests, random).entries()) {
    const plan = possible(made, server);
    await using place = await server.place();
    const told = await tellSearchStory(plan, { place, world, http, random: random.fork() });
    if (told.cut) kills += 1;
    if (told.cut && plan.second) withSecond += 1;
    reads += told.reads;
    for (const words of told.violations) {
      violations.push(`${server.kind}: ${words}`);
      say(`VIOLATION ${server.kind}: ${words}`);
    }
    if (nth % 20 === 19) say(`${nth + 1} into ${server.kind}: ${inWords(plan, 'request')}`);
    if (kills >= wanted) break;
  }
  return { kills, with_second_attempt: withSecond, reads, requests, violations };
}

/** Solr has one standby: a sync that loads it has taken away what a rollback would restore (docs/how-to/solr.md). */
function possible(plan: Plan, { kind }: SearchServer): Plan {
  return kind === 'solr' && plan.action === 'rollback' ? { ...plan, second: null } : plan;
}

/** Number of requests in an undisturbed run: the kills are spread over all of them. */
async function countRequests({
  server,
  random,
  world,
}: {
  server: SearchServer;
  random: Random;
  world: ReturnType<typeof makeRecords>;
}): Promise<Counts> {
  const counts: Partial<Counts> = {};
  for (const action of ACTIONS) {
    await using place = await server.place();
    await prepare({ place, world });
    await using proxy = await startRequestProxy({ url: place.url });
    const source = memorySource(newest(world.second, random));
    const before = action === 'rollback' ? 2 : null;
    const { sink } = place;
    const end = await attempt({ url: proxy.url, sink, action, job: 10, source, batchSize: BATCH, before });
    if (end.code !== 'ok')
      throw new Error(`a plain ${action} into ${server.kind} ended ${end.code}: ${end.message}`);
    // A program of its own sends the same requests.
    counts[action] = { process: proxy.count, program: proxy.count };
  }
  return counts as Counts;
}
