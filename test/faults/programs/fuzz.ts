/** Sends requests made from our own OpenAPI document, with slow, giant and malformed ones beside them. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Hostile, hostileRequests } from '../fuzz/hostile.ts';
import { startPatience } from '../fuzz/patience.ts';
import { HOOK_SECRET, type Product, startProduct } from '../fuzz/product.ts';
import { send } from '../fuzz/raw.ts';
import { fuzzRound, type Round, schemathesis } from '../fuzz/schemathesis.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';

const REQUESTS = 20_000;
const HOSTILE = 200;
/** Limit of an answer to a well-formed request. */
const LIMIT_MS = 2_000;
/** How much more memory the api may use at the end than after its first round. */
const MEMORY = 1.1;
/** Hostile connections open at once. */
const AT_ONCE = 20;

/**
 * Every phase; those that the seed changes; every phase of a user limited to another environment, or of a running
 * job's reports.
 */
type Kind = 'whole' | 'further' | 'limited' | 'report';

export const fuzz: Program = {
  name: 'fuzz',
  summary: '20,000 requests from our OpenAPI document, 200 slow or giant ones: no 5xx, hang, lie or leak',
  async run({ seed, scale, amount, say }) {
    const program = await schemathesis(say);
    const random = createRandom(seed);
    await using product = await startProduct();
    say('warming up');
    const expected = amount(REQUESTS);
    const rounds: Round[] = [];
    const next = async (which: Kind, own: Random) => {
      const examples = which === 'further' ? Math.max(10, Math.round(40 * scale)) : 10;
      const round = await roundOf(product, program, own, { which, examples });
      rounds.push(round);
      say(`${sum(rounds)} of ${expected} requests, slowest ${round.slowestMs} ms`);
    };
    // A first round creates what is created once: connections, caches, compiled code. A leak grows beyond that.
    await next('whole', random);
    await next('report', random);
    await next('limited', random);
    const [early] = await Promise.all([
      fuzzHostile(product, random.fork(), amount(HOSTILE, 45), await product.token()),
      rest(random, next, () => false),
    ]);
    const before = await product.settled();

    const hostile = fuzzHostile(product, random.fork(), amount(HOSTILE, 45), await product.token());
    const patience = startPatience(product.url, await product.token());
    const [told] = await Promise.all([hostile, rest(random, next, () => sum(rounds) < expected)]);
    const patient = await patience.stop();

    say('waiting for quiet');
    await wait(10_000);
    const after = await product.settled();
    const violations = rounds.flatMap((round) => round.violations);
    violations.push(...early, ...told, ...patient.violations);
    for (const round of rounds)
      if (round.slowestMs > LIMIT_MS) violations.push(`an answer took ${round.slowestMs} ms`);
    if (!statuses(rounds).has(403)) violations.push('nobody was refused with 403');
    if (after.resident > before.resident * MEMORY)
      violations.push(`the api grew from ${before.resident} MiB to ${after.resident} MiB`);
    const errors = product
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":50'));
    for (const line of errors) violations.push(`the api logged an error: ${line.slice(0, 600)}`);
    return {
      n: sum(rounds),
      expected,
      violations,
      hostile: 2 * amount(HOSTILE, 45),
      ordinary: patient.answers,
      slowest_s: Math.max(...rounds.map((round) => round.slowestMs), patient.slowestMs) / 1_000,
      memory_mib: [before.resident, after.resident],
      // Live objects; the rest is code, stacks and memory that the allocator has not returned.
      objects_mib: [before.objects, after.objects],
      statuses: Object.fromEntries(statuses(rounds)),
    };
  },
};

/** Two rounds at least, until there are enough requests; two at a time, since one Python cannot keep the api busy. */
async function rest(
  random: Random,
  next: (which: Kind, random: Random) => Promise<void>,
  more: () => boolean,
): Promise<void> {
  const lane = async (own: Random) => {
    do await next('further', own);
    while (more());
  };
  await Promise.all([lane(random.fork()), lane(random.fork())]);
}

async function roundOf(
  product: Product,
  program: string,
  random: Random,
  { which, examples }: { readonly which: Kind; readonly examples: number },
): Promise<Round> {
  const job = which === 'report' ? await product.runningJob() : undefined;
  return await fuzzRound(program, {
    url: product.url,
    seed: random.integer(0, 2 ** 31),
    // Examples and coverage phases are the same each time.
    phases: which === 'further' ? 'fuzzing,stateful' : 'examples,coverage,fuzzing,stateful',
    examples,
    reportOf: job?.id,
    environment: {
      TOKEN: await product.token(which === 'limited'),
      REPORT_TOKEN: job?.reportToken ?? 'none',
      HOOK_SECRET,
    },
  });
}

async function fuzzHostile(product: Product, random: Random, count: number, token: string) {
  const violations: string[] = [];
  const queue: Hostile[] = [];
  while (queue.length < count) queue.push(...random.shuffled(hostileRequests(random, token)));
  queue.length = count;
  const one = async () => {
    for (let hostile = queue.pop(); hostile; hostile = queue.pop()) {
      const fault = await send(product.port, hostile);
      if (fault !== undefined) violations.push(fault);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return violations;
}

function sum(rounds: readonly Round[]): number {
  return rounds.reduce((total, round) => total + round.requests, 0);
}

function statuses(rounds: readonly Round[]): Map<number, number> {
  const all = new Map<number, number>();
  for (const round of rounds)
    for (const [status, count] of round.statuses) all.set(status, (all.get(status) ?? 0) + count);
  return new Map([...all].toSorted(([a], [b]) => a - b));
}
