/**
 * Random programs of batches, executor updates and cancels, compared with a small model, over HTTP on a real
 * Postgres.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, MICRODATA, setup } from '../../support.ts';

const PROGRAMS = 25;
const TARGETS = ['A', 'B', 'DATASTORE', 'beta'] as const;
type Target = (typeof TARGETS)[number];
const WORDS = ['validating', 'built', 'queued', 'completed', 'failed'] as const;

let api: Api;
beforeAll(async () => {
  api = await setup({ files: MICRODATA });
});
afterAll(() => api[Symbol.asyncDispose]());

type Item = { readonly target: Target | 'nobody'; readonly isWhole: boolean; readonly description: string };
type Word = { readonly status?: string; readonly description?: string; readonly log?: string };
type Job = {
  readonly id: number;
  readonly target: Target;
  status: string;
  phase: string | null;
  description: string | null;
  readonly lines: string[];
  detail: string | null;
};
type Model = {
  paused: boolean;
  readonly jobs: Job[];
  readonly lastSuccess: Map<Target, number>;
  readonly batches: Map<string, { items: readonly Item[]; text: string }>;
};
/** Coverage of all programs: a property that never reaches these states proves nothing. */
const seen = new Set<string>();

const isFinal = ({ status }: Job) => ['completed', 'failed', 'deleted'].includes(status);
const operationOf = (target: Item['target']) =>
  ({ DATASTORE: 'BUMP', beta: 'sync' })[target as string] ?? 'REMOVE';

function asked({ target, isWhole, description }: Item): object {
  const operation = operationOf(target);
  if (operation === 'sync') return isWhole ? { operation, target } : { operation, target, description };
  if (operation === 'REMOVE') return isWhole ? { operation, target, description } : { operation, target };
  const bumpManifesto = {
    version: '1',
    description,
    releaseTime: 1,
    languageCode: 'no',
    updateType: null,
    dataStructureUpdates: [{ name: 'A', description, operation: 'ADD', releaseStatus: 'DRAFT' }],
  };
  const whole = { operation, target, description, bumpManifesto, bumpFromVersion: '0', bumpToVersion: '1' };
  return isWhole ? whole : { ...whole, bumpManifesto: undefined };
}

/** Starts with jobs, so that no program works on unknown jobs only. */
const FIRST: readonly Item[] = TARGETS.map((target) => ({ target, isWhole: true, description: 'first' }));

class Operation implements fc.AsyncCommand<Model, Api> {
  readonly #name: string;
  readonly #step: (model: Model) => Promise<void>;
  constructor(name: string, step: (model: Model) => Promise<void>) {
    this.#name = name;
    this.#step = step;
  }
  check = () => true;
  async run(model: Model) {
    await this.#step(model);
    await agree(model);
  }
  toString = () => this.#name;
}

/** Every answer agrees with the model. */
async function agree(model: Model) {
  const { body: jobs } = await api.call('GET', '/jobs?limit=100');
  const shown = jobs.map((job: any) => ({
    id: job.id,
    target: job.target,
    status: job.status,
    phase: job.phase,
    description: job.description,
    detail: job.diagnosis?.detail ?? null,
  }));
  expect(shown).toEqual(
    model.jobs
      .map(({ id, target, status, phase, description, detail }) => ({
        id,
        target,
        status,
        phase,
        description,
        detail,
      }))
      .toReversed(),
  );
  const log = await api.db
    .selectFrom('job_log')
    .select(['job_id', 'message'])
    .orderBy('byte_offset')
    .execute();
  for (const { id, target, lines, status, phase } of model.jobs) {
    seen.add(`${target === 'beta' ? 'pod' : 'external'} ${status}`).add(`phase ${phase}`);
    expect(log.filter(({ job_id }) => job_id === id).map(({ message }) => message)).toEqual(lines);
  }
  for (const word of ['queued', 'built']) {
    const { body } = await api.call('GET', `/jobs?status=${word}&limit=100`);
    const fitting = model.jobs.filter((job) => job.status === word || (!isFinal(job) && job.phase === word));
    expect(body.map((job: any) => job.id)).toEqual(fitting.map(({ id }) => id).toReversed());
  }
  const { body: ofA } = await api.call('GET', '/targets/A/jobs?limit=100');
  const naming = model.jobs.filter(({ target }) => target === 'A' || target === 'DATASTORE');
  expect(ofA.map((job: any) => job.id)).toEqual(naming.map(({ id }) => id).toReversed());
  const { body: targets } = await api.call('GET', '/targets');
  for (const target of TARGETS) {
    const state = targets.find(({ name }: any) => name === target)?.environments[0];
    const active = model.jobs.find((job) => job.target === target && !isFinal(job));
    expect(state?.active_job?.id ?? null, target).toBe(active?.id ?? null);
    expect(state?.last_success_job_id ?? null, target).toBe(model.lastSuccess.get(target) ?? null);
  }
}

async function batch(model: Model, items: readonly Item[], key: string | undefined) {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const json = { jobs: items.map(asked) };
  const answer = await api.call('POST', '/jobs', { json, headers });
  const before = key === undefined ? undefined : model.batches.get(key);
  if (before && JSON.stringify(before.items) !== JSON.stringify(items)) {
    seen.add('key reused');
    return expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused']);
  }
  expect(answer.status).toBe(200);
  if (before) {
    seen.add('batch repeated');
    return expect(answer.text).toBe(before.text);
  }
  expect(answer.body).toHaveLength(items.length);
  for (const [at, { target, isWhole, description }] of items.entries()) {
    const told = answer.body[at];
    const holder = model.jobs.find((job) => job.target === target && !isFinal(job));
    if (target === 'nobody' || !isWhole || holder) {
      seen.add(holder && isWhole ? 'held' : 'refused');
      expect(told).toEqual({ status: 'FAILED', msg: expect.any(String) });
      if (holder && isWhole) expect(told.msg).toContain(`job ${holder.id} (`);
      continue;
    }
    expect(told).toEqual({ status: 'CREATED', msg: 'OK', job_id: expect.any(Number) });
    model.jobs.push({
      id: told.job_id,
      target,
      status: target === 'beta' && model.paused ? 'waiting' : 'queued',
      phase: null,
      description: target === 'beta' ? null : description,
      lines: [],
      detail: null,
    });
  }
  if (key !== undefined) model.batches.set(key, { items, text: answer.text });
}

async function tell(model: Model, at: number, word: Word) {
  const job = model.jobs[at % Math.max(1, model.jobs.length)];
  const { status, body } = await api.call('PUT', `/jobs/${job?.id ?? 999_999}`, { json: word });
  if (!job) return expect(status).toBe(404);
  if (job.target === 'beta') return expect([status, body.code]).toEqual([409, 'not_external']);
  if (isFinal(job)) return expect([status, body.code]).toEqual([409, 'over']);
  expect(status).toBe(200);
  const end = word.status === 'completed' || word.status === 'failed' ? word.status : undefined;
  job.status = end ?? 'running';
  job.phase = word.status ?? job.phase;
  job.description = word.description ?? job.description;
  if (word.status !== undefined) job.lines.push(`Set status: ${word.status}`);
  if (word.description !== undefined) job.lines.push('Added update description');
  if (word.log !== undefined) job.lines.push(word.log);
  if (end === 'failed')
    job.detail = [word.description, word.log].filter((part) => part !== undefined).join('\n');
  if (end === 'completed') model.lastSuccess.set(job.target, job.id);
}

async function repeat(model: Model, key: string) {
  const before = model.batches.get(key);
  if (before) await batch(model, before.items, key);
}

async function cancel(model: Model, at: number) {
  const job = model.jobs[at % Math.max(1, model.jobs.length)];
  const { status } = await api.call('DELETE', `/jobs/${job?.id ?? 999_999}`);
  expect(status).toBe(job ? 200 : 404);
  if (job && !isFinal(job)) job.status = 'deleted';
}

async function pause(model: Model, paused: boolean) {
  await api.call('POST', '/maintenance-status', { json: { paused, msg: 'm' } });
  model.paused = paused;
  for (const job of model.jobs)
    if (job.target === 'beta' && !isFinal(job)) job.status = paused ? 'waiting' : 'queued';
}

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((t) => !/[\n\0/?&;]/.test(t));
const item = fc.record({
  target: fc.constantFrom<Item['target']>(...TARGETS, 'nobody'),
  isWhole: fc.nat({ max: 4 }).map((n) => n > 0),
  description: text,
});
const word = fc
  .record({ status: fc.constantFrom(...WORDS), description: text, log: text }, { requiredKeys: [] })
  .filter((of) => Object.keys(of).length > 0);
const key = fc.option(fc.constantFrom('one', 'two'), { nil: undefined, freq: 2 });
const at = fc.nat({ max: 11 });
const named = (name: string, of: unknown, step: (model: Model) => Promise<void>) =>
  new Operation(`${name} ${JSON.stringify(of)}`, step);

const operations = [
  fc
    .tuple(fc.array(item, { maxLength: 4 }), key)
    .map((of) => named('batch', of, (model) => batch(model, ...of))),
  ...Array.from({ length: 4 }, () =>
    fc.tuple(at, word).map((of) => named('tell', of, (model) => tell(model, ...of))),
  ),
  fc.constantFrom('one', 'two').map((of) => named('repeat', of, (model) => repeat(model, of))),
  at.map((of) => named('cancel', of, (model) => cancel(model, of))),
  fc.boolean().map((of) => named('pause', of, (model) => pause(model, of))),
];

test('any program agrees with the model', async () => {
  const programs = fc.commands(operations, { maxCommands: 20, size: '+1' });
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      await sql`TRUNCATE jobs, idempotency_keys, targets CASCADE`.execute(api.db);
      await api.call('POST', '/maintenance-status', { json: { paused: false, msg: 'm' } });
      const model: Model = { paused: false, jobs: [], lastSuccess: new Map(), batches: new Map() };
      // Half of the later batches reuse its key: chance alone might leave that out.
      await batch(model, FIRST, 'one');
      await fc.asyncModelRun(() => ({ model, real: api }), program);
    }),
    { numRuns: PROGRAMS, endOnFailure: false },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining([
      ...['queued', 'running', 'completed', 'failed', 'deleted'].map((status) => `external ${status}`),
      ...['queued', 'waiting', 'deleted'].map((status) => `pod ${status}`),
      ...WORDS.map((one) => `phase ${one}`),
      'held',
      'refused',
      'key reused',
      'batch repeated',
    ]),
  );
}, 120_000);
