/** Runs one job through the system of docker-compose.yml, as a user would after the first start. */
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '../../src/client/client.ts';

const WITHIN_MS = 180_000;
const CITIES = 171_075;

/** @throws Error with the job's diagnosis if it does not complete */
export async function tryIt(of: {
  url: string;
  ui: string;
  password: string;
  say: (line: string) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { url, ui, password, say, signal } = of;
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password }),
    signal: AbortSignal.timeout(15_000),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`POST /login answered ${answer.status}`);
  const client = createClient({ url, token: async () => token });
  const started = await client.start('sync', 'cities', 'dev', 'compose');
  if (started.result === 'queued') throw new Error(started.msg);
  const { job_id: id } = started;
  say(`sync of cities is job ${id}`);
  const deadline = Date.now() + WITHIN_MS;
  let job = await client.showJob(id);
  while (job.finished_at === null) {
    if (Date.now() > deadline) throw new Error(`job ${id} is still ${job.status}`);
    await wait(500, undefined, { signal });
    job = await client.showJob(id);
  }
  const done = job.progress?.records_done ?? 0;
  if (job.status !== 'completed' || done !== CITIES)
    throw new Error(`job ${id} is ${job.status} with ${done} records: ${JSON.stringify(job.diagnosis)}`);
  const log = await client.readLog(id);
  if (!log.includes('done')) throw new Error(`the log of job ${id} lacks its end: ${log.slice(-300)}`);
  say(`job ${id} completed: ${done} records`);
  const page = await fetch(ui, { signal: AbortSignal.timeout(15_000) });
  if (page.status !== 200) throw new Error(`Temporal's Web UI answered ${page.status}`);
}
