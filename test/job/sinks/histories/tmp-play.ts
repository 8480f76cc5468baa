import fc from 'fast-check';
import { openSearchServer, solrServer } from '../../../faults/sink-kill/search-place.ts';
import { histories, type History } from './chapters.ts';
import { Counts } from './counts.ts';
import { playHistory } from './player.ts';

const [kind, fromText, minutes, shrinkText] = process.argv.slice(2);
const server = await (kind === 'solr' ? solrServer : openSearchServer)();
const total = new Counts();
let seed = Number(fromText);
const until = Date.now() + Number(minutes) * 60_000;
const play = async (history: History) => {
  await using place = await server.place();
  return await playHistory(place, history);
};
let n = 0;
const began = Date.now();
while (Date.now() < until) {
  const [history] = fc.sample(histories(16), { seed, numRuns: 1 });
  if (!history) throw new Error();
  let violations: readonly string[] = [];
  try {
    const played = await play(history);
    total.add(played.counts);
    violations = played.violations;
  } catch (error) {
    violations = [`THROWN ${error instanceof Error ? error.stack : String(error)}`];
  }
  n += 1;
  if (violations.length > 0) {
    console.log(`VIOLATION seed ${seed}:\n  ${violations.join('\n  ')}`);
    if (shrinkText === 'shrink') await shrink(history, violations);
  }
  if (n % 10 === 0)
    console.log(`${n} histories, ${Math.round((Date.now() - began) / n)} ms each, ${JSON.stringify(total)}`);
  seed += 1;
  if (shrinkText === 'one') break;
}
console.log(`END ${n} histories, ${Math.round((Date.now() - began) / n)} ms each, ${JSON.stringify(total)}`);
await server[Symbol.asyncDispose]();
process.exit();

async function shrink(first: History, last: readonly string[]) {
  let best = first;
  let words = last;
  const fails = async (h: History) => {
    try {
      const { violations } = await play(h);
      if (violations.length > 0) words = violations;
      return violations.length > 0;
    } catch (error) {
      words = [String(error)];
      return true;
    }
  };
  const none = { ids: [], old: false };
  for (let again = true, rounds = 0; again && rounds < 3; rounds += 1) {
    again = false;
    for (let at = best.chapters.length - 1; at >= 0; at -= 1) {
      const less = { ...best, chapters: best.chapters.filter((_, nth) => nth !== at) };
      if (await fails(less)) {
        best = less;
        again = true;
      }
    }
    for (let at = 0; at < best.chapters.length; at += 1)
      for (const change of [
        { kill: null },
        { lie: { kind: 'honest' } },
        { back: none },
        { source: { add: 0, update: [], remove: [] } },
        { source: { ...best.chapters[at]?.source, add: 0 } },
        { source: { ...best.chapters[at]?.source, update: [] } },
      ] as object[]) {
        const one = best.chapters[at];
        if (!one || JSON.stringify({ ...one, ...change }) === JSON.stringify(one)) continue;
        const less = {
          ...best,
          chapters: best.chapters.map((c, nth) => (nth === at ? { ...c, ...change } : c)),
        } as History;
        if (await fails(less)) {
          best = less;
          again = true;
        }
      }
  }
  console.log(`SHRUNK to ${JSON.stringify(best)}\n  ${words.join('\n  ')}`);
}
