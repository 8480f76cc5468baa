/**
 * Api and worker with clocks ten minutes off, either way: outcomes and recorded times are those of true clocks, and
 * tokens are valid everywhere.
 */
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../src/embedded/ports.ts';
import { skewedClock } from '../support/skewed-clock.ts';
import { params, startSystem, type System } from '../support/system.ts';

const MINUTES = 10;
/** For each process alone, and for both against each other. */
const TABLE = [
  { api: 0, worker: 0 },
  { api: MINUTES, worker: 0 },
  { api: -MINUTES, worker: 0 },
  { api: 0, worker: MINUTES },
  { api: 0, worker: -MINUTES },
  { api: MINUTES, worker: -MINUTES },
  { api: -MINUTES, worker: MINUTES },
];
/** Expected for all clocks. */
const OUTCOMES = {
  silent: 'completed',
  reporting: 'completed',
  failing: 'failed',
  long: 'deleted',
  often: 'started',
} as const;
/** Far more than anything here takes, far less than the skew. */
const SOON_MS = 2 * 60_000;

let system: System | undefined;
afterEach(async () => {
  await system?.[Symbol.asyncDispose]();
});

type Shown = {
  id: number;
  status: string;
  stalled: boolean;
  progress: { records_done: number; rate: number | null } | null;
  steps: {
    started_at: string | null;
    ended_at: string | null;
    sync_job: { end_time: string | null } | null;
  }[];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
};

async function show(id: number): Promise<Shown> {
  const { status, body } = (await system?.call('GET', `/jobs/${id}`)) ?? {};
  expect(status).toBe(200);
  return body as unknown as Shown;
}

async function start(target: string, action = 'sync'): Promise<number> {
  const { status, body } = (await system?.call('POST', `/${action}/${target}/dev`)) ?? {};
  expect([status, body?.['job_id']]).toEqual([202, expect.any(Number)]);
  return Number(body?.['job_id']);
}

/** In the order in which they happened, and all of them close to the true time. */
function timesOf(job: Shown): number[] {
  const [step] = job.steps;
  const times = [job.created_at, job.started_at, step?.ended_at, job.finished_at];
  return times.map((time) => Date.parse(time ?? ''));
}

test.each(TABLE)(
  'api $api min, worker $worker min: outcomes, times and tokens are those of true clocks',
  { timeout: 120_000 },
  async (off) => {
    const began = Date.now();
    system = await startSystem({
      params: [
        params('silent', 'sync', '--mute'),
        params('reporting', 'sync', '--seconds 2'),
        params('failing', 'sync', '--mute --exit 1'),
        params('long', 'sync', '--seconds 100', 'TIMEOUT=5m\nSTART_TIMEOUT=5m\n'),
        params('often', 'delta', '--mute', 'SCHEDULE=every 2s\n'),
      ],
    });
    const { db } = system;
    const api = await system.startApi(skewedClock(off.api));
    const worker = await system.startWorker(undefined, skewedClock(off.worker));
    await expect
      .poll(() => [wallOf(api.output()), wallOf(worker.output())], { timeout: 30_000 })
      .toEqual([off.api, off.worker]);

    const jobs = new Map<string, number>();
    for (const target of ['silent', 'reporting', 'failing', 'long']) jobs.set(target, await start(target));
    const long = jobs.get('long') ?? 0;
    await system.until(long, 'running');
    await expect.poll(async () => (await show(long)).progress?.records_done, { timeout: 30_000 }).toBe(0);
    expect((await show(long)).stalled).toBe(false);
    expect((await system.call('DELETE', `/jobs/${long}`)).status).toBe(202);

    await expect
      .poll(() => db.selectFrom('schedule_firings').selectAll().execute(), { timeout: 30_000 })
      .not.toEqual([]);
    const [firing] = await db.selectFrom('schedule_firings').selectAll().orderBy('nominal_time').execute();
    if (!firing) throw new Error('no firing');
    expect(firing.outcome).toBe(OUTCOMES.often);
    expect(Math.abs(firing.nominal_time.getTime() - began)).toBeLessThan(SOON_MS);
    jobs.set('often', firing.job_id ?? 0);
    const ended: Record<string, string> = { often: firing.outcome };
    for (const [target, id] of jobs) {
      if (target !== 'often') await system.until(id, OUTCOMES[target as keyof typeof OUTCOMES], 60_000);
      else await system.until(id, 'completed');
      const job = await show(id);
      ended[target] ??= job.status;
      const times = timesOf(job);
      expect(times, target).toEqual(times.toSorted((a, b) => a - b));
      for (const time of times) expect(Math.abs(time - began), target).toBeLessThan(SOON_MS);
    }
    expect(ended).toEqual(OUTCOMES);
    const reporting = await show(jobs.get('reporting') ?? 0);
    expect(reporting.progress).toMatchObject({ records_done: 10 });
    expect(Date.parse(reporting.steps[0]?.sync_job?.end_time ?? '') - began).toBeLessThan(SOON_MS);
    const took = Date.parse(reporting.finished_at ?? '') - Date.parse(reporting.started_at ?? '');
    expect(took).toBeGreaterThan(1_000);
    expect(took).toBeLessThan(SOON_MS);
  },
);

/** Minutes by which the newest line of a process's log is off. */
function wallOf(output: string): number {
  const times = [...output.matchAll(/"time":"?(\d{13}|[-\dT:.]+Z)"?/g)].map(([, time = '']) =>
    /^\d{13}$/.test(time) ? Number(time) : Date.parse(time),
  );
  return Math.round(((times.at(-1) ?? Number.NaN) - Date.now()) / 60_000) || 0;
}

test('two apis whose clocks are twenty minutes apart accept each other’s tokens', async () => {
  system = await startSystem({ params: [params('silent', 'sync', '--mute')] });
  const urls: string[] = [];
  for (const minutes of [-MINUTES, 0, MINUTES]) {
    const port = await freePort();
    await system.startApi({ ...skewedClock(minutes), PORT: String(port) });
    urls.push(`http://127.0.0.1:${port}`);
  }
  for (const from of urls) {
    const login = await ask(`${from}/login`, { username: 'admin', password: 'correct horse battery' });
    for (const at of urls) {
      const authorization = `Bearer ${login.access_token}`;
      const listed = await fetch(`${at}/jobs`, {
        headers: { authorization },
        signal: AbortSignal.timeout(10_000),
      });
      expect([from, at, listed.status]).toEqual([from, at, 200]);
      const renewed = await fetch(`${at}/login/renew`, {
        method: 'POST',
        headers: { authorization },
        signal: AbortSignal.timeout(10_000),
      });
      expect([from, at, renewed.status]).toEqual([from, at, 200]);
    }
  }
});

async function ask(url: string, body: object): Promise<{ access_token: string }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { access_token: string };
}
