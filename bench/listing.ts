/**
 * Measures `GET /jobs` and `GET /targets` over a million jobs in a real api process, beside the plain statement in
 * the same Postgres. States each claim for the median and for the 95th percentile.
 */
import pg from 'pg';
import { type ParamsFile } from '../test/support/params-files.ts';
import { type Figure, percentile } from './figure.ts';
import { fillJobs, KEYS } from './many-jobs.ts';
import { startRig } from './rig.ts';

export const group = 'listing';

const PAGE = 50;
const BOUND = 'ours < 50 ms';

type Case = {
  readonly name: string;
  readonly route: string;
  readonly raw: string;
  readonly bound?: string;
};

/** The plain statement, without steps, reports, HTTP or access. */
const page = (where = '', further = '') =>
  `SELECT * FROM jobs ${where} ORDER BY id DESC LIMIT ${PAGE} ${further}`;

/** Requests alternate with the plain statement, so that other load on the machine meets both. */
export async function run({ once }: { once: boolean }): Promise<Figure[]> {
  const [jobs, requests] = once ? [100_000, 40] : [1_000_000, 200];
  const params: ParamsFile[] = [{ target: KEYS.targets[0] ?? '', action: 'sync', options: '' }];
  await using rig = await startRig({ params, durable: true });
  const client = new pg.Client({ connectionString: rig.databaseUrl });
  await client.connect();
  try {
    await fillJobs(client, jobs, (filled) => console.error(`listing: ${filled} of ${jobs} jobs`));
    const { call } = await rig.startApi();
    const figures: Figure[] = [];
    for (const one of casesOf(jobs)) figures.push(...(await measure({ call, client, requests }, one)));
    return figures.map((figure) => ({ ...figure, bench: `listing of ${jobs} jobs: ${figure.bench}` }));
  } finally {
    await client.end();
  }
}

function casesOf(jobs: number): Case[] {
  const nth = jobs / 100;
  const skipped = (nth - 1) * PAGE;
  const before = jobs - skipped + 1;
  const cursor = Buffer.from(`id:${before}`).toString('base64url');
  const [target, env] = [KEYS.targets[7], KEYS.envs[1]];
  const key = `target = '${target}' AND env = '${env}'`;
  return [
    { name: 'first page', route: '/jobs', raw: page() },
    { name: `page ${nth} by cursor`, route: `/jobs?cursor=${cursor}`, raw: page(`WHERE id < ${before}`) },
    {
      name: `page ${nth} by number`,
      route: `/jobs?page=${nth}`,
      raw: page('', `OFFSET ${skipped}`),
      // A page by number must count everything that it skips; the Link header continues by cursor.
      bound: 'ours/raw <= 1',
    },
    {
      name: 'failed ones of a target',
      route: `/jobs?status=failed&target=${target}&env=${env}`,
      raw: page(`WHERE status = 'failed' AND ${key}`),
    },
    {
      name: 'deleted ones, which are rare',
      route: '/jobs?status=deleted',
      raw: page("WHERE status = 'deleted'"),
    },
    {
      name: 'ones being cancelled (none exist)',
      route: '/jobs?status=cancelling',
      raw: page("WHERE status = 'cancelling'"),
    },
    {
      name: 'active ones (none exist)',
      route: '/jobs?ignoreCompleted=true',
      raw: page("WHERE status IN ('queued', 'waiting', 'starting', 'running', 'cancelling')"),
    },
    {
      name: 'all targets',
      route: '/targets',
      raw: 'SELECT env, target, max(id) FROM jobs GROUP BY env, target',
    },
  ];
}

async function measure(
  by: {
    call: (method: string, route: string) => Promise<unknown>;
    client: pg.Client;
    requests: number;
  },
  { name, route, raw, bound = BOUND }: Case,
): Promise<Figure[]> {
  const asOurs = () => by.call('GET', route);
  const asRaw = () => by.client.query(raw);
  await asOurs(); // warms up connections, plans and pages of the table
  await asRaw();
  const times = { ours: new Array<number>(), raw: new Array<number>() };
  for (let n = 0; n < by.requests; n++) {
    times.ours.push(await milliseconds(asOurs));
    times.raw.push(await milliseconds(asRaw));
  }
  const unit = 'ms';
  const late = { ours: [percentile(times.ours, 95)], raw: [percentile(times.raw, 95)] };
  return [
    { bench: name, unit, ...times, bound },
    { bench: `${name}, p95`, unit, ...late, bound },
  ];
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round((performance.now() - began) * 100) / 100;
}
