/** A short life of the system in which secrets take every possible way: jobs with all outcomes, mistakes, outages. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hashPassword } from '../../../src/api/auth/passwords.ts';
import { addUser, changeUser } from '../../../src/db/access/users.ts';
import { addServiceToken } from '../../../src/db/access/service-tokens.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { settingsName } from '../../../src/runner/kubernetes/render.ts';
import { CONTAINER } from '../../../src/runner/kubernetes/apiserver/types.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { ADMIN_PASSWORD, tokenIn } from '../../support/login.ts';
import { runBody } from '../rig/api-client.ts';
import type { Rig } from '../rig/rig.ts';
import type { Asker } from './ask.ts';
import { type Canary, secret } from './canaries.ts';

/** The programs of the jobs; each has its own target. */
export const TARGETS = [
  { name: 'running' },
  { name: 'other', more: 'SCHEDULE=0 0 1 1 *\n' },
  { name: 'done' },
  { name: 'failed' },
  { name: 'gone' },
  { name: 'twice', more: 'RETRIES=1\n' },
  { name: 'refused', more: 'START_TIMEOUT=4s\nPOD_OVERRIDES={"serviceAccountName":"nobody"}\n' },
];

/** Time limit for a job that ends by itself. */
const END_MS = 40_000;

export type JobOf = { readonly id: number; readonly uid: string };
export type Life = {
  readonly jobs: ReadonlyMap<string, JobOf>;
  readonly canaries: Canary[];
  readonly token: string;
};

/** @param of.secrets the values of SYNCRATOR_SECRET, newest first */
export async function live(rig: Rig, asker: Asker, of: { secrets: readonly string[] }): Promise<Life> {
  const canaries: Canary[] = [];
  const plant = (name: string, allowed: Canary['allowed'] = [], seen?: string, value = secret()) => {
    canaries.push({ name, value, allowed, ...(seen === undefined ? {} : { seen }) });
    return value;
  };
  for (const [at, value] of of.secrets.entries()) plant(`SYNCRATOR_SECRET ${at}`, [], undefined, value);
  plant("admin's password", [], undefined, ADMIN_PASSWORD);
  plant(
    'the password of DATABASE_URL',
    [],
    undefined,
    new URL(rig.environment['DATABASE_URL'] ?? '').password,
  );
  const kubeconfig = JSON.parse(readFileSync(rig.environment['KUBECONFIG'] ?? '', 'utf8')) as {
    users: { user: { token: string } }[];
  };
  plant("the worker's token", [], undefined, kubeconfig.users[0]?.user.token ?? '');

  const alice = plant("alice's password");
  await addUser(
    rig.db,
    { username: 'alice', passwordHash: await hashPassword(secret()), grant: unlimited('admin') },
    { principal: 'test' },
  );
  await changeUser(rig.db, 'alice', { passwordHash: await hashPassword(alice) }, { principal: 'test' });
  const login = async (fields: Record<string, string>) => asker.ask('POST', '/login', { json: fields });
  const entered = await login({ username: 'alice', password: alice });
  const token = tokenIn(entered.status, entered.text);
  plant("alice's token", [], undefined, token);
  const renewed = await asker.ask('POST', '/login/renew', { token });
  plant("alice's renewed token", [], undefined, tokenIn(renewed.status, renewed.text));
  const wrong = plant('a wrong password');
  await login({ username: 'alice', password: wrong });
  await asker.ask('POST', '/login', { body: new URLSearchParams({ username: 'alice', password: wrong }) });
  await login({ username: plant('a password typed as the name'), password: 'x' });

  const service = makeServiceToken();
  plant("a program's token", [], undefined, service.token.slice(-43));
  const program = { ...service, name: 'program', grant: unlimited('admin'), seconds: 3_600 };
  await addServiceToken(rig.db, program, { principal: 'test' });
  const asked = await asker.ask('GET', '/me', { token: service.token });
  if (asked.status !== 200) throw new Error(`a program's token: ${asked.status} ${asked.text}`);

  const settings = plant('a setting of the sink', ['Kubernetes secrets'], 'Kubernetes secrets');
  const name = settingsName({ env: 'dev', target: 'running' });
  const file = path.join(rig.dir, 'settings.json');
  const manifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { SINK: settings } };
  writeFileSync(file, JSON.stringify(manifest), { mode: 0o600 });
  await rig.ground.kubectl('create', '-f', file); // not as an argument, which every process may read

  const jobs = await start(rig, asker, { token, plant, secrets: of.secrets });
  await mistake(asker, { token, plant });
  await outages(rig, asker, { token, plant });
  return { jobs, canaries, token };
}

type Plant = (name: string, allowed?: Canary['allowed'], seen?: string, value?: string) => string;
type With = { readonly token: string; readonly plant: Plant };

/** Parameters that contain credentials, and programs that print and report some. */
async function start(rig: Rig, asker: Asker, of: With & { secrets: readonly string[] }) {
  const { token, plant } = of;
  const stored = ['table jobs', 'Kubernetes jobs', 'Kubernetes pods'] as const;
  const url = `postgres://sync:${plant('a password in OPTIONS', stored, 'Kubernetes pods')}@db/x`;
  const query = `https://db/x?token=${plant('a token in OPTIONS', stored, 'Kubernetes pods')}&a=b`;
  const main = `https://a:${plant('a password in MAM_MAIN_QUERY', stored, 'Kubernetes pods')}@mam/q`;
  const key = plant('an Idempotency-Key', ['table idempotency_keys'], 'table idempotency_keys');
  const options: Readonly<Record<string, string>> = {
    done: '--seconds 1',
    failed: '--seconds 2 --mute --exit 3',
  };
  const jobs = new Map<string, JobOf>();
  for (const { name: target } of TARGETS) {
    const body = runBody({
      target,
      action: 'sync',
      mam_main_query: main,
      options: `${options[target] ?? '--seconds 600 --mute'} ${url} ${query}`,
    });
    const headers = { 'idempotency-key': `${key}-${target}` };
    const told = await asker.ask('POST', '/run', { token, headers, json: body });
    const { job_id: id } = JSON.parse(told.text) as { job_id?: number };
    if (told.status !== 202 || id === undefined) throw new Error(`${target}: ${told.status} ${told.text}`);
    await asker.ask('POST', '/run', { token, headers, json: body }); // the same again
    await asker.ask('POST', '/run', { token, json: { ...body, is_tag: 'other' } }); // busy
    await asker.ask('POST', '/dryrun', { token, json: body });
    const { uid } = JSON.parse((await asker.ask('GET', `/jobs/${id}`, { token })).text) as { uid: string };
    jobs.set(target, { id, uid });
    const reportToken = makeReportToken(of.secrets, { uid, step: 0, attempt: 1 });
    plant(
      `the report token of ${target}`,
      ['Kubernetes jobs', 'Kubernetes pods'],
      'Kubernetes jobs',
      reportToken,
    );
  }
  const jobOf = (name: string) => jobs.get(name) ?? { id: 0, uid: '' };
  const printed = plant('a password in the log');
  for (const name of ['running', 'failed']) {
    const { id, uid } = jobOf(name);
    const pod = await podOf(rig, id);
    rig.cluster.writeLog({ name: pod, namespace: rig.ground.namespace, container: CONTAINER }, [
      `connecting to postgres://u:${printed}@db/x and https://x/?password=${printed}`,
    ]);
    const told = plant(`a password reported by ${name}`);
    await asker.ask('PUT', `/jobs/${id}/report`, {
      token: makeReportToken(of.secrets, { uid, step: 0, attempt: 1 }),
      json: {
        seq: 1,
        phase: 'loading',
        options: `-x ftp://u:${told}@h`,
        message: `no http://u:${told}@h`,
        data_source: `http://h/?api_key=${told}`,
        target_datastore_url: `postgres://u:${told}@h/db`,
      },
    });
  }
  await podOf(rig, jobOf('twice').id).then((pod) => rig.ground.kubectl('delete', 'pod', pod, '--wait=false'));
  await podOf(rig, jobOf('gone').id);
  await asker.ask('DELETE', `/jobs/${jobOf('gone').id}`, { token });
  for (const [name, ends] of Object.entries({
    done: 'completed',
    failed: 'failed',
    gone: 'deleted',
    refused: 'failed',
  }))
    await rig.api.until(jobOf(name).id, ({ status }) => status === ends, END_MS);
  await untilPrinted(asker, { token, id: jobOf('running').id });
  await rig.api.until(
    jobOf('twice').id,
    ({ steps, status }) => steps.length === 2 && status === 'running',
    END_MS,
  );
  return jobs;
}

/** The line with the password was stored; otherwise its absence would prove nothing. */
async function untilPrinted(asker: Asker, { token, id }: { token: string; id: number }): Promise<void> {
  let text = '';
  for (const deadline = Date.now() + END_MS; Date.now() < deadline; await wait(200)) {
    ({ text } = await asker.ask('GET', `/jobs/${id}/logs`, { token }));
    if (text.includes('connecting to postgres://<FILTERED>@db/x and https://x/?password=<FILTERED>')) return;
  }
  throw new Error(`the log of job ${id} lacks the line that had a password: ${text}`);
}

/** The pod of a job, once it runs. */
async function podOf(rig: Rig, id: number): Promise<string> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await wait(100)) {
    const { items } = await rig.ground.client.listPods(`syncrator/job-id=${id}`);
    const [pod] = items;
    if (pod?.status?.phase === 'Running') return pod.metadata.name;
  }
  throw new Error(`job ${id} has no running pod`);
}

/** Secrets where none belongs: each request is refused, and the secret must never be repeated. */
async function mistake(asker: Asker, { token, plant }: With): Promise<void> {
  const value = plant('a secret in the wrong place');
  const basic = Buffer.from(`alice:${value}`).toString('base64');
  await asker.ask('GET', '/jobs', { headers: { authorization: `Bearer ${value}` } });
  await asker.ask('GET', '/jobs', { headers: { authorization: `Basic ${basic}` } });
  await asker.ask('GET', `/jobs?access_token=${value}`, { token });
  await asker.ask('GET', `/jobs?status=${value}&target=${value}&cursor=${value}&since=${value}`, { token });
  await asker.ask('GET', `/?password=${value}`);
  await asker.ask('POST', '/login', { json: { username: 'alice', password: value, otp: value } });
  await asker.ask('POST', '/login', { json: { username: 'alice', password: { of: value } } });
  await asker.ask('POST', '/login', {
    body: `{"password": ${value}`,
    headers: { 'content-type': 'application/json' },
  });
  const json = { 'content-type': 'application/json' };
  for (const body of [value, `{"a":"${value}`, `{"password":"${value}"}`, `["${value}"]`, `"${value}"`])
    for (const route of ['/run', '/maintenance-status', '/sync_jobs', '/jobs/1/report'])
      await asker.ask(route.endsWith('report') ? 'PUT' : 'POST', route, { token, body, headers: json });
}

/** Postgres, Temporal and Kubernetes are away for a moment: their errors are reported and logged. */
async function outages(rig: Rig, asker: Asker, { token, plant }: With): Promise<void> {
  const value = plant('a password typed during an outage');
  for (const name of ['postgres', 'temporal', 'kubernetes'] as const) {
    await rig.links[name].refuse();
    await asker.ask('POST', '/login', { json: { username: 'alice', password: value } });
    await asker.ask('GET', '/health/ready');
    await asker.ask('GET', '/jobs', { token });
    await asker.ask('POST', '/delta/done/dev', { token });
    await wait(2_000);
    await rig.links[name].heal();
    await wait(500);
  }
  // Waits for the jobs accepted meanwhile, before anything is compared.
  await untilEnded(rig);
}

async function untilEnded(rig: Rig): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(300)) {
    const { body } = await rig.api.insist('GET', '/jobs?ignoreCompleted=true&limit=100');
    const active = body as unknown as readonly { target: string; status: string }[];
    if (active.every((job) => ['running', 'other', 'twice'].includes(job.target))) return;
  }
  throw new Error('the jobs started during an outage did not end');
}
