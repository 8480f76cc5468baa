/** Plays random histories of jobs, lies, answers and kills into OpenSearch or Solr: no record leaves without permission. */
import fc from 'fast-check';
import { histories } from '../../job/sinks/histories/chapters.ts';
import { Counts } from '../../job/sinks/histories/counts.ts';
import { playHistory } from '../../job/sinks/histories/player.ts';
import type { SearchServer } from './search-place.ts';

const JOBS = 16;

export async function playInSearch(of: {
  server: SearchServer;
  seed: number;
  wanted: number;
  say: (line: string) => void;
}): Promise<{ readonly histories: number; readonly counts: Counts; readonly violations: readonly string[] }> {
  const { server, seed, wanted, say } = of;
  const counts = new Counts();
  const violations: string[] = [];
  const all = fc.sample(histories(JOBS), { seed, numRuns: wanted });
  for (const [nth, history] of all.entries()) {
    await using place = await server.place();
    const played = await playHistory(place, history);
    counts.add(played.counts);
    for (const what of played.violations) {
      violations.push(`${server.kind}: history ${nth}: ${what}`);
      say(`VIOLATION ${server.kind}: history ${nth}: ${what}`);
    }
  }
  say(`${all.length} histories of ${server.kind}: ${JSON.stringify(counts)}`);
  return { histories: all.length, counts, violations };
}
