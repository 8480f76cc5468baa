/** Hostile texts in every place that takes a text: none of them becomes more than a text. */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { maskCredentials } from '../../../src/domain/mask.ts';
import { makeReportToken } from '../../../src/report-token.ts';
import { openEtcd } from '../audit/etcd.ts';
import { JOBS } from '../audit/lives.ts';
import { untilQuiet } from '../audit/quiet.ts';
import { type Field, fieldsOf, judge, type Sent, sendTo } from '../hostile/fields.ts';
import { checkManifests, type Started } from '../hostile/manifests.ts';
import { type Payload, payloads } from '../hostile/payloads.ts';
import { createTrace } from '../hostile/trace.ts';
import { readOperations } from '../operations.ts';
import type { Program } from '../program.ts';
import { CONTAINER } from '../../../src/runner/kubernetes/objects.ts';
import { createRandom } from '../random.ts';
import { PASSWORD } from '../rig/api-client.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const PAYLOADS = 1_500;
const LANES = 12;
const REPORTERS = 4;
/** Runs until it is cancelled, where others end at once. */
const STAYS = 'POD_OVERRIDES={"annotations":{"kwok.syncrator/finish-after":"never"}}\n';
const INNOCENT = {
  action_name: 'sync',
  action: 'sync',
  is_tag: 'latest',
  options: '-n 1',
  mam_main_query: 'q',
};

export const hostile: Program = {
  name: 'hostile',
  summary:
    '1,500 hostile texts in every field, path, query, report and log line: none becomes more than a text',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const trace = createTrace();
    const lanes = Array.from({ length: LANES }, (_, at) => `lane-${at}`);
    const reporters = Array.from({ length: REPORTERS }, (_, at) => `reporter-${at}`);
    await using rig = await startRig({
      targets: [
        ...['avo', ...lanes].map((name) => ({ name })),
        ...[...reporters, 'talker'].map((name) => ({ name, more: STAYS })),
      ],
      actor: false,
      cluster: { finishAfter: '300ms' },
      apiUnder: (dir) => trace.command(dir),
      say,
    });
    const url = rig.urls[0] ?? '';
    let calls = 0;
    const trap = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const { port } = trap.address() as { port: number };
    const file = path.join(rig.dir, 'made');
    const source = payloads(random, { file, port });
    const next = () => source.next().value;
    const token = await tokenOf(url);
    const violations: string[] = [];
    const started: Started[] = [];
    const statuses: Record<string, number> = {};
    let sent = 0;

    /** One start; the job, if there is one now. */
    const start = async (target: string, given: Partial<typeof INNOCENT> = {}, key?: string) => {
      const body = { target, env: 'dev', ...INNOCENT, ...given };
      const answer = await rig.api.call('POST', '/run', {
        at: 0,
        body,
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
      });
      return { status: answer.status, id: Number(answer.body['job_id']), body };
    };
    const innocent = await start('avo');
    const stay = new Map<string, number>();
    for (const name of [...reporters, 'talker']) stay.set(name, (await start(name)).id);
    for (const id of stay.values()) await until(rig, id, ['running']);
    await until(rig, innocent.id, ['completed']);
    const others = [...stay.values()];
    const uids = new Map<number, string>();
    for (const id of stay.values())
      uids.set(id, String((await rig.api.insist('GET', `/jobs/${id}`)).body['uid']));

    const operations = await readOperations(url);
    const fields = fieldsOf(operations);
    const values = { id: String(innocent.id), target: 'avo', name: 'avo', env: 'dev' };
    const reporting = (at: number) => stay.get(reporters[at % REPORTERS] ?? '') ?? 0;
    const sendOne = async (field: Field, text: string, turn: number): Promise<Sent | undefined> => {
      if (field.operation.access !== 'report') return sendTo(url, field, text, { token, values });
      for (let at = turn; ; at++) {
        const id = reporting(at);
        const reportToken = makeReportToken([rig.environment['SYNCRATOR_SECRET'] ?? ''], {
          uid: uids.get(id) ?? '',
          step: 0,
          attempt: 1,
        });
        const of = { token: reportToken, values: { ...values, id: String(id), seq: String(at) } };
        const answer = await sendTo(url, field, text, of);
        if (answer?.status !== 429) return answer; // one a second is heard
        await wait(300);
      }
    };
    say('warming up');
    for (const field of fields) {
      const answer = await sendTo(url, field, 'a', { token, values });
      // Not compared, for other actions and pods that stay differ from the model; only known.
      if (answer?.status === 202)
        others.push(Number((JSON.parse(answer.text) as { job_id?: number }).job_id));
    }
    trace.mark();

    say(`texts in ${fields.length} fields`);
    const inFields = amount(PAYLOADS * 0.7);
    const queue = Array.from({ length: inFields }, (_, at) => fields[at % fields.length] as Field);
    const inField = async () => {
      for (let field = queue.pop(); field; field = queue.pop()) {
        let answer: Sent | undefined;
        let payload: Payload;
        do {
          payload = next();
          answer = await sendOne(field, payload.text, random.integer(1, 1_000_000)).catch((error: Error) => {
            violations.push(`${field?.operation.path}: ${payload.text}: ${error.message}`);
            return { status: 0, type: '', headers: '', text: '' };
          });
        } while (!answer);
        sent += 1;
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        violations.push(...judge(field, answer).map((fault) => `${JSON.stringify(payload.text)} ${fault}`));
        if (answer.status !== 202 || field.operation.method !== 'POST') continue;
        started.push(startedBy(field, payload, answer));
      }
    };
    const launches = amount(PAYLOADS * 0.15);
    let left = launches;
    const launch = async (target: string) => {
      while (left-- > 0) {
        const { text } = next();
        sent += 1;
        const at = random.pick([
          'options',
          'options',
          'mam_main_query',
          'is_tag',
          'action_name',
          'key',
        ] as const);
        const fits = at === 'key' ? /^[\x21-\x7e]{1,255}$/.test(text) : true;
        const { status, id, body } =
          at === 'key' ? await start(target, {}, fits ? text : 'x') : await start(target, { [at]: text });
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status !== 202) continue;
        started.push({ ...asStarted(id, body), what: `${at} ${JSON.stringify(text)}` });
        await until(rig, id, ['completed']);
      }
    };
    const texts = Array.from({ length: amount(PAYLOADS * 0.15) }, () => next().text);
    sent += texts.length;
    const talked = talk(rig, { url, token, id: stay.get('talker') ?? 0, texts });
    await Promise.all([inField(), inField(), inField(), inField(), ...lanes.map(launch), talked]);
    violations.push(...(await talked));

    say('looking at the manifests, and at what the api did');
    for (const id of stay.values()) await rig.api.insist('DELETE', `/jobs/${id}`);
    await untilQuiet(rig, 60_000);
    const { writes } = await openEtcd(rig.cluster.etcdUrl).history([`${JOBS}${rig.ground.namespace}/`]);
    const manifests = checkManifests(writes, started, { innocent: innocent.id, others });
    const ports = [rig.links.postgres.port, rig.links.temporal.port];
    const traced = trace.violations({ ports });
    violations.push(...manifests.violations, ...traced.violations);
    if (calls > 0) violations.push(`something called the trap ${calls} times`);
    const made = readdirSync(rig.dir).filter((name) => name.startsWith('made'));
    if (existsSync(file) || made.length > 0) violations.push(`something made ${made.join(', ')}`);
    trap.close();
    const { opened, connected } = traced;
    const figures = { fields: fields.length, manifests: manifests.compared, opened, connected, statuses };
    return { n: sent, expected: inFields + launches + texts.length, violations, ...figures };
  },
};

function asStarted(id: number, of: typeof INNOCENT): Omit<Started, 'what'> {
  return { id, action: of.action, options: of.options, tag: of.is_tag, query: of.mam_main_query };
}

/** What a request to any route that starts has asked for, by its own text and, where that is silent, by its answer. */
function startedBy({ operation, where, name }: Field, { text }: Payload, answer: Sent): Started {
  const told = JSON.parse(answer.text) as Record<string, string> & { job_id: number };
  const put = (field: string, otherwise: string) => (where === 'body' && name === field ? text : otherwise);
  return {
    id: told.job_id,
    action: told['ACTION'] ?? '',
    options: put('options', told['OPTIONS']?.replace(/ ?--api_job_id \d+$/, '') ?? ''),
    tag: told['IS_TAG'] ?? '',
    query: put('mam_main_query', told['MAM_MAIN_QUERY'] ?? ''),
    what: `${operation.path} ${where} ${name} ${JSON.stringify(text)}`,
  };
}

/** A program prints them: they come back as they are, credentials filtered, as text that no browser takes for more. */
async function talk(rig: Rig, of: { url: string; token: string; id: number; texts: readonly string[] }) {
  // A log has no line ends within a line, and no halves of pairs.
  const lines = of.texts.map((text) => text.toWellFormed().replaceAll('\n', ' '));
  const { items } = await rig.ground.client.listPods(`syncrator/job-id=${of.id}`);
  rig.cluster.writeLog(
    { name: items[0]?.metadata.name ?? '', namespace: rig.ground.namespace, container: CONTAINER },
    lines,
  );
  const headers = { authorization: `Bearer ${of.token}` };
  const wanted = lines.map((line) => maskCredentials(line.replaceAll('\0', '\u2400')));
  let violations: string[] = [];
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await wait(500)) {
    const answer = await fetch(`${of.url}/jobs/${of.id}/logs`, {
      headers,
      signal: AbortSignal.timeout(10_000),
    });
    const got = new Set((await answer.text()).split('\n'));
    const type = answer.headers.get('content-type') ?? '';
    violations = wanted
      .filter((line) => !got.has(line))
      .map((line) => `a log line is not as it was: ${line}`);
    if (!type.startsWith('text/plain')) violations.push(`a log was answered as ${type}`);
    if (answer.headers.get('x-content-type-options') !== 'nosniff') violations.push('a log without nosniff');
    if (violations.length === 0) break;
  }
  return violations;
}

async function until(rig: Rig, id: number, statuses: readonly string[]): Promise<void> {
  let body: Record<string, unknown> = {};
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(300)) {
    ({ body } = await rig.api.insist('GET', `/jobs/${id}`));
    if (statuses.includes(String(body['status']))) return;
  }
  throw new Error(`job ${id} is ${JSON.stringify(body)}, not ${statuses.join(' or ')}`);
}

async function tokenOf(url: string): Promise<string> {
  const body = new URLSearchParams({ username: 'admin', password: PASSWORD });
  const answer = await fetch(`${url}/login`, { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}
