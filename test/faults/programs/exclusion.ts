/**
 * Many callers request the same key at once, again and again: no two of its pods may live at once, and every loser
 * learns who won.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { openAudit } from '../audit/audit.ts';
import { untilQuiet } from '../audit/quiet.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { runBody } from '../rig/api-client.ts';
import { checkHooks, type Hook, hookJobs, itemBank, sendHook, untilServed } from '../rig/hooks.ts';
import { beginPauses } from '../rig/pauses.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const KEYS = 10;
const VOLLEY = 8;
const ACTIONS = ['sync', 'delta', 'delete'] as const;
const ASKED_AGAIN = 20;
/** Hooks want it while all others do. */
const BANK = 'one-0';

type Post = {
  readonly target: string;
  /** For a batch: that of the single route with the same answer. */
  readonly status: number;
  /** The started job, or the one that holds the key. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly asked: number;
  readonly answered: number;
  /** Two requests of a volley may share it. */
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
};

export const exclusion: Program = {
  name: 'exclusion',
  summary:
    '4,000 POSTs in volleys of 8 over two apis and 10 lock keys, beside cancels, resumes, hooks and pauses',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const targets = Array.from({ length: KEYS }, (_, at) => `one-${at}`);
    await using rig = await startRig({
      targets: targets.map((name) => ({ name })),
      environment: itemBank(BANK),
      say,
    });
    using audit = openAudit(rig);
    const volleys = Math.ceil(amount(4_000) / VOLLEY / KEYS);

    const posts: Post[] = [];
    const resumes: Post[] = [];
    const hooks: Hook[] = [];
    const pauses = beginPauses(rig.api, random.fork());
    await Promise.all(
      targets.map(async (target) => {
        const chance = random.fork();
        let holder: number | undefined;
        for (let round = 1; round <= volleys; round++) {
          const resumed = resumeThrice(rig, target, holder);
          const hooked = target === BANK && chance.chance(0.4) ? sendHook(rig.api, round) : undefined;
          const asked = await volley(rig, target, chance);
          posts.push(...asked);
          resumes.push(...(await resumed));
          if (hooked) hooks.push(await hooked);
          holder = asked.find(({ status }) => status === 202 || status === 409)?.id;
          await cancelOrWait(rig, holder, chance);
          if (target === BANK && round % 10 === 0) say(`round ${round} of ${volleys}`);
        }
      }),
    );
    const paused = await pauses.end();
    await untilServed(rig);
    await untilQuiet(rig, 60_000);
    say('auditing');
    const all = [...posts, ...resumes];
    // If the answer of a job was lost, the next answer names it: as the same job, or as the holder.
    const ids = new Set(all.filter(({ id }) => id > 0).map(({ id }) => id));
    for (const { id } of await hookJobs(rig)) ids.add(id);
    const may = ['completed', 'deleted', 'failed:exit_code'];
    const taken = await audit.take([...ids].map((id) => ({ id, may })));
    const checked = await checkHooks(rig, hooks);
    const violations = [
      ...taken.violations,
      ...checkAnswers(all),
      ...(await checkWinners(rig, all)),
      ...checked.violations,
    ];
    const answers: Record<string, number> = {};
    for (const { status } of posts) answers[status] = (answers[status] ?? 0) + 1;
    const expected = volleys * VOLLEY * KEYS;
    const { statuses, pods } = taken;
    const beside = {
      hooks: hooks.length,
      hooksCancelled: checked.cancelled,
      resumes: resumes.length,
      pauses: paused,
    };
    return {
      n: posts.length,
      expected,
      violations,
      unsettled: taken.unsettled + checked.unsettled,
      busy: rig.busyness.factor(),
      answers,
      beside,
      jobs: ids.size,
      pods,
      statuses,
    };
  },
};

/** Eight at once, four of them with an Idempotency-Key, which two of those share; some as a batch of one. */
async function volley(rig: Rig, target: string, random: Random): Promise<Post[]> {
  const sharedKey = randomUUID();
  const fails = random.chance(0.15) ? ' --exit 1' : '';
  const same = { action: random.pick(ACTIONS), options: `--seconds ${random.integer(0, 10) / 10}${fails}` };
  return await Promise.all(
    Array.from({ length: VOLLEY }, async (_, at) => {
      const idempotencyKey = at < 2 ? sharedKey : at < 4 ? randomUUID() : undefined;
      // Half of them make the same request: their answers name the one job as theirs.
      const of =
        at < 2 || random.chance(0.4) ? same : { action: random.pick(ACTIONS), options: '--seconds 1' };
      if (idempotencyKey === undefined && random.chance(0.3))
        return await postOf(target, undefined, () => inBatch(rig, at, target, of.action));
      return await postOf(target, idempotencyKey, () =>
        rig.api.call('POST', '/run', {
          at,
          body: runBody({ target, ...of }),
          ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
        }),
      );
    }),
  );
}

type Told = { readonly status: number; readonly body: Record<string, unknown> };

async function postOf(
  target: string,
  idempotencyKey: string | undefined,
  ask: () => Promise<Told>,
): Promise<Post> {
  const asked = Date.now();
  let { status, body } = await ask();
  // Allowed on a busy machine; whether the job was stored is unknown, and a repetition tells.
  for (let again = 0; status === 503 && again < ASKED_AGAIN; again++) {
    await wait(1_000);
    ({ status, body } = await ask());
  }
  const id =
    status === 409 ? (body['holder'] as { id?: unknown } | undefined)?.id : (body['job_id'] ?? body['id']);
  return { target, status, id: Number(id), asked, answered: Date.now(), idempotencyKey, body };
}

/** One item of a batch: its answer in the terms of the single route. */
async function inBatch(rig: Rig, at: number, target: string, operation: string): Promise<Told> {
  const { status, body } = await rig.api.call('POST', '/jobs', {
    at,
    body: { jobs: [{ operation, target, env: 'dev' }] },
  });
  if (status !== 200) return { status, body };
  const [item = {}] = body as unknown as { status?: string; msg?: string; job_id?: number }[];
  if (item.status === 'CREATED') return { status: 202, body: item };
  const holder = /is held by job (\d+)/.exec(item.msg ?? '')?.[1];
  return { status: 409, body: { ...item, holder: { id: Number(holder) } } };
}

/** Three callers at once resume a failed job, beside the next volley. */
async function resumeThrice(rig: Rig, target: string, id: number | undefined): Promise<Post[]> {
  if (id === undefined) return [];
  const { body } = await rig.api.insist('GET', `/jobs/${id}`);
  if (body['status'] !== 'failed') return [];
  const ask = () => rig.api.call('POST', `/jobs/${id}/resume`);
  return await Promise.all([1, 2, 3].map(() => postOf(target, undefined, ask)));
}

async function cancelOrWait(rig: Rig, holder: number | undefined, random: Random): Promise<void> {
  if (random.chance(0.3) && holder !== undefined) {
    await wait(random.integer(0, 1_500));
    await rig.api.insist('DELETE', `/jobs/${holder}`);
  } else await wait(random.integer(0, 2_000));
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

/** Every answer that names a job names one that held the key at some moment of the call. */
async function checkWinners(rig: Rig, posts: readonly Post[]): Promise<string[]> {
  const rows = await rig.db
    .selectFrom('jobs')
    .select(['id', 'target', 'created_at', 'finished_at'])
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return posts.flatMap(({ target, status, id, asked, answered, idempotencyKey, body }) => {
    const row = byId.get(id);
    const held =
      row?.target === target &&
      row.created_at.getTime() <= answered &&
      (row.finished_at?.getTime() ?? Number.MAX_SAFE_INTEGER) >= asked;
    // A repeated key gets the first answer, however old; so does a second resume.
    const isOfBefore = idempotencyKey !== undefined || isAlreadyResumed(body);
    return held || isOfBefore ? [] : [`${target}: ${status} names job ${id}, which never held the key`];
  });
}

function isAlreadyResumed(body: unknown): boolean {
  return (body as { code?: unknown }).code === 'already_resumed';
}
