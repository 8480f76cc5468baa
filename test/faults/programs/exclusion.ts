/** Many ask for the same key at once, over and over: never do two pods of it live, and every loser is told who won. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { openAudit } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { runBody } from '../rig/api-client.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const KEYS = 10;
const VOLLEY = 8;
const ACTIONS = ['sync', 'delta', 'delete'] as const;

type Post = {
  readonly target: string;
  readonly status: number;
  /** The job that was started, or the one that is in the way. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly asked: number;
  readonly answered: number;
  /** Two posts of a volley may share it. */
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
};

export const exclusion: Program = {
  name: 'exclusion',
  summary: '4,000 POSTs in volleys of 8 over two apis and 10 lock keys, with random cancels between',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const targets = Array.from({ length: KEYS }, (_, at) => `one-${at}`);
    await using rig = await startRig({ targets: targets.map((name) => ({ name })), say });
    using audit = openAudit(rig);
    const volleys = Math.ceil(amount(4_000) / VOLLEY / KEYS);

    const posts: Post[] = [];
    await Promise.all(
      targets.map(async (target) => {
        const chance = random.fork();
        for (let round = 1; round <= volleys; round++) {
          posts.push(...(await volley(rig, target, chance)));
          if (target === targets[0] && round % 10 === 0) say(`round ${round} of ${volleys}`);
        }
      }),
    );
    await untilQuiet(rig, 60_000);
    say('auditing');
    const ids = new Set(posts.filter(({ status }) => status === 202).map(({ id }) => id));
    const taken = await audit.take([...ids].map((id) => ({ id, may: ['completed', 'deleted'] })));
    const violations = [...taken.violations, ...checkAnswers(posts), ...(await checkWinners(rig, posts))];
    const answers: Record<string, number> = {};
    for (const { status } of posts) answers[status] = (answers[status] ?? 0) + 1;
    const expected = volleys * VOLLEY * KEYS;
    const { statuses, pods } = taken;
    return { n: posts.length, expected, violations, answers, jobs: ids.size, pods, statuses };
  },
};

/** Eight at once, four of them with an Idempotency-Key, which two of those share; then perhaps a cancel. */
async function volley(rig: Rig, target: string, random: Random): Promise<Post[]> {
  const sharedKey = randomUUID();
  const same = { action: random.pick(ACTIONS), options: `--seconds ${random.integer(0, 10) / 10}` };
  const posts = await Promise.all(
    Array.from({ length: VOLLEY }, async (_, at) => {
      const idempotencyKey = at < 2 ? sharedKey : at < 4 ? randomUUID() : undefined;
      // Half of them ask for the same: those are told of the one job as theirs.
      const of =
        at < 2 || random.chance(0.4) ? same : { action: random.pick(ACTIONS), options: '--seconds 1' };
      const asked = Date.now();
      const { status, body } = await rig.api.call('POST', '/run', {
        at,
        body: runBody({ target, ...of }),
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
      });
      return {
        target,
        status,
        id: Number(status === 409 ? (body['holder'] as { id?: unknown }).id : body['job_id']),
        asked,
        answered: Date.now(),
        idempotencyKey,
        body,
      };
    }),
  );
  const holder = posts.find(({ status }) => status === 202 || status === 409)?.id;
  if (random.chance(0.3) && holder !== undefined) {
    await wait(random.integer(0, 1_500));
    await rig.api.insist('DELETE', `/jobs/${holder}`);
  } else await wait(random.integer(0, 2_000));
  return posts;
}

function checkAnswers(posts: readonly Post[]): string[] {
  const violations = posts.flatMap(({ target, status, id, body }) => {
    const told = [200, 202, 409].includes(status) && id > 0;
    return told ? [] : [`${target}: answered ${status} ${JSON.stringify(body)}`];
  });
  for (const [key, all] of Map.groupBy(posts, (post) => post.idempotencyKey ?? '')) {
    const accepted = all.filter(({ status }) => status < 300);
    if (key !== '' && new Set(accepted.map(({ id }) => id)).size > 1)
      violations.push(
        `Idempotency-Key ${key} was answered with jobs ${accepted.map(({ id }) => id).join(', ')}`,
      );
  }
  return violations;
}

/** Whoever was told of a job was told of one that held the key at some moment of the call. */
async function checkWinners(rig: Rig, posts: readonly Post[]): Promise<string[]> {
  const rows = await rig.db
    .selectFrom('jobs')
    .select(['id', 'target', 'created_at', 'finished_at'])
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return posts.flatMap(({ target, status, id, asked, answered, idempotencyKey }) => {
    const row = byId.get(id);
    const held =
      row?.target === target &&
      row.created_at.getTime() <= answered &&
      (row.finished_at?.getTime() ?? Number.MAX_SAFE_INTEGER) >= asked;
    // A key used twice is answered as the first time, however long ago that was.
    return held || idempotencyKey !== undefined
      ? []
      : [`${target}: ${status} names job ${id}, which held nothing`];
  });
}
