/**
 * Measures how late listeners hear of a report: 50 running jobs that report twice a second, 100 listeners, a page
 * and a command line, beside bare LISTEN and NOTIFY in the same Postgres at the same time. Measures the cost for
 * the api, too.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { claimJob, findClaimable } from '../src/db/jobs/claim.ts';
import { beginStep } from '../src/db/jobs/steps.ts';
import { makeReportToken } from '../src/auth/report-token.ts';
import { type Heard, lags } from './event-lag.ts';
import { startCommandLine, startListeners, startPage } from './event-witnesses.ts';
import { type Figure, percentile } from './figure.ts';
import { cpuSeconds, residentMiB } from './process-use.ts';
import { type Api, type Rig, SECRET, startRig } from './rig.ts';

export const group = 'events';

const JOBS = 50;
const LISTENERS = 100;
const EVERY_MS = 500;
const WARM_SECONDS = 3;
/** A report not received this long after the last one counts as lost. */
const SETTLE_MS = 3_000;
const BOUND = 'ours < 500 ms';

type Job = { readonly id: number; readonly token: string };
type Sent = { readonly job: number; readonly done: number; readonly sent: number; readonly answered: number };

export async function run(options: { once: boolean }): Promise<Figure[]> {
  const targets = Array.from({ length: JOBS }, (_, n) => `live-${n}`);
  await using rig = await startRig({
    params: targets.map((target) => ({ target, action: 'sync', options: '' })),
    durable: true,
  });
  const api = await rig.startApi();
  const jobs: Job[] = [];
  for (const target of targets) jobs.push(await begin(rig, target));
  // The first report sets the jobs to running, so that the page shows them.
  for (const job of jobs) await report(api, job, 1);
  const quiet = await useOf(api.pid, () => wait(2_000));
  await using listeners = await startListeners(rig, api, LISTENERS);
  await using page = await startPage(api);
  const watched = jobs.slice(0, 1);
  await using commandLine = await startCommandLine(api, watched[0]?.id ?? 0);
  await using bare = await startBare(rig.databaseUrl);
  const all = (duration: number, from: number, into: Sent[]) =>
    Promise.all(
      jobs.map((job, n) => reportFor(duration, { api, job, from, sent: into, after: (n * EVERY_MS) / JOBS })),
    );
  await all(WARM_SECONDS, 2, []); // warms up connections, plans and code paths
  const seconds = options.once ? 4 : 20;
  const raw: number[] = [];
  const sent: Sent[] = [];
  const busy = await useOf(api.pid, async () => {
    const notifying = bare.notifyFor(seconds, raw);
    await all(seconds, 2 + (WARM_SECONDS * 1_000) / EVERY_MS, sent);
    await notifying;
  });
  await wait(SETTLE_MS);
  const bySome = sent.filter(({ job }) => watched.some(({ id }) => id === job));
  const rate = LISTENERS * JOBS * (1_000 / EVERY_MS);
  return [
    ...lagFigures(`${LISTENERS} listeners`, { sent, raw, heard: await listeners.heard() }),
    ...lagFigures('the page', { sent, raw, heard: await page.heard() }),
    ...lagFigures('the command line', { sent: bySome, raw, heard: await commandLine.heard() }),
    {
      bench: `events: api's use of one core, sending ${rate} events a second (raw: idle)`,
      unit: '%',
      ours: [busy.percent],
      raw: [quiet.percent],
      bound: 'ours < 100 %',
    },
    {
      bench: `events: api's resident memory, sending ${rate} events a second (raw: idle)`,
      unit: 'MiB',
      ours: [busy.mib],
      raw: [quiet.mib],
      bound: 'ours < 400 MiB',
    },
  ];
}

function lagFigures(who: string, of: { sent: readonly Sent[]; raw: number[]; heard: Heard[][] }): Figure[] {
  const since = (begin: 'sent' | 'answered') => {
    const told = of.sent.map(({ job, done, [begin]: at }) => ({ job, done, at }));
    return of.heard.flatMap((one) => lags(told, one));
  };
  const [answered, sent] = [since('answered'), since('sent')];
  const figure = (from: string, samples: readonly number[], percent: number): Figure => ({
    bench: `events: ${who}, from a report's ${from}, p${percent} (raw: NOTIFY alone)`,
    unit: 'ms',
    ours: [percentile(samples, percent)],
    raw: [percentile(of.raw, percent)],
    bound: BOUND,
  });
  return [...[50, 95, 99].map((percent) => figure('answer', answered, percent)), figure('sending', sent, 95)];
}

/** A job as a workflow would have begun it, with its program's token; no real program takes processor time. */
async function begin(rig: Rig, target: string): Promise<Job> {
  const { db } = rig;
  const id = await rig.submit(target, 'sync');
  const seen = await findClaimable(db, { env: 'dev', target });
  if (!seen) throw new Error(`job ${id} cannot be claimed`);
  const runId = randomUUID();
  await claimJob(db, seen, { runId, runStartedAt: new Date() }, false);
  await beginStep(db, { jobId: id, step: 0, attempt: 1, runId, action: 'sync', name: `bench-${id}` });
  return { id, token: makeReportToken([SECRET], { uid: seen.uid, step: 0, attempt: 1 }) };
}

async function reportFor(
  seconds: number,
  of: { api: Api; job: Job; from: number; sent: Sent[]; after: number },
): Promise<void> {
  const began = performance.now() + of.after;
  for (let n = 0; n < (seconds * 1_000) / EVERY_MS; n++) {
    await wait(Math.max(0, began + n * EVERY_MS - performance.now()));
    of.sent.push(await report(of.api, of.job, of.from + n));
  }
}

async function report({ url }: Api, { id, token }: Job, done: number): Promise<Sent> {
  const sent = Date.now();
  const answer = await fetch(`${url}/jobs/${id}/report`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ seq: done, phase: 'load', records_done: done, records_total: 1_000 }),
  });
  const answered = Date.now();
  if (!answer.ok) throw new Error(`report of job ${id}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return { job: id, done, sent, answered };
}

/** One connection listens, another notifies. */
async function startBare(connectionString: string) {
  const [ear, mouth] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
  await Promise.all([ear.connect(), mouth.connect()]);
  await ear.query('LISTEN bare');
  return {
    /** One round trip every 100 ms, in milliseconds. */
    async notifyFor(seconds: number, into: number[]): Promise<void> {
      for (const end = performance.now() + seconds * 1_000; performance.now() < end; await wait(100)) {
        const heard = once(ear, 'notification');
        const began = performance.now();
        await mouth.query("SELECT pg_notify('bare', '')");
        await heard;
        into.push(Math.round((performance.now() - began) * 100) / 100);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([ear.end(), mouth.end()]);
    },
  };
}

/** The share of one core that a process uses during some work, and its peak memory. */
async function useOf(pid: number, work: () => Promise<unknown>): Promise<{ percent: number; mib: number }> {
  const [began, before] = [performance.now(), cpuSeconds(pid)];
  let mib = 0;
  const look = setInterval(() => (mib = Math.max(mib, residentMiB(pid))), 250);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  const percent = ((cpuSeconds(pid) - before) / (performance.now() - began)) * 100_000;
  return { percent: Math.round(percent * 10) / 10, mib };
}
