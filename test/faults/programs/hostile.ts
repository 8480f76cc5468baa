/** Puts hostile texts into every place that takes a text: each must stay a mere text. */
import { setTimeout as wait } from 'node:timers/promises';
import { openEtcd } from '../audit/etcd.ts';
import { JOBS } from '../audit/lives.ts';
import { untilQuiet } from '../audit/quiet.ts';
import { type Field, fieldsOf, judge, type Sent, sendTo } from '../hostile/fields.ts';
import { checkManifests, type Started } from '../hostile/manifests.ts';
import { PATTERNS, payloads } from '../hostile/payloads.ts';
import { RESIDENTS, startResidents, talk } from '../hostile/residents.ts';
import { startedBy, startInnocents, startWith } from '../hostile/starts.ts';
import { createTrace } from '../hostile/trace.ts';
import { setTrap } from '../hostile/trap.ts';
import { readOperations } from '../operations.ts';
import type { Program } from '../program.ts';
import { createRandom, type Random } from '../random.ts';
import { login } from '../../support/login.ts';
import { type Rig, startRig } from '../rig/rig.ts';

const PAYLOADS = 1_500;
const LANES = 12;
/** Requests at once, without starts by parameters. */
const AT_ONCE = 4;
/** The parameters of a start, each as often as it is chosen. */
const PARAMETERS = ['options', 'options', 'mam_main_query', 'is_tag', 'action_name', 'key'] as const;

/** The results of everything that was sent. */
type Seen = {
  readonly violations: string[];
  readonly started: Started[];
  readonly statuses: Record<string, number>;
  sent: number;
};

export const hostile: Program = {
  name: 'hostile',
  summary:
    '1,500 hostile texts in every field, path, query, report and log line: none becomes more than a text',
  async run({ seed, amount, say }) {
    const random = createRandom(seed);
    const trace = createTrace();
    const lanes = Array.from({ length: LANES }, (_, at) => `lane-${at}`);
    await using rig = await startRig({
      targets: [...['avo', ...lanes].map((name) => ({ name })), ...RESIDENTS],
      families: PATTERNS,
      actor: false,
      cluster: { finishAfter: '300ms' },
      apiUnder: (dir) => trace.command(dir),
      say,
    });
    const url = rig.urls[0] ?? '';
    using trap = await setTrap(rig.dir);
    const source = payloads(random, trap);
    const next = () => source.next().value.text;
    const token = await login(url);
    const seen: Seen = { violations: [], started: [], statuses: {}, sent: 0 };

    const residents = await startResidents(rig);
    const innocents = await startInnocents(rig, 'avo');
    const fields = fieldsOf(await readOperations(url));
    const values = { id: String(innocents.get('sync')), target: 'avo', name: 'avo', env: 'dev' };
    const send = async (field: Field, text: string): Promise<Sent | undefined> => {
      if (field.operation.access !== 'report') return await sendTo(url, field, text, { token, values });
      for (let turn = random.integer(1, 1_000_000); ; turn++) {
        const { id, token: own } = residents.reporter(turn);
        const of = { token: own, values: { ...values, id: String(id), seq: String(turn) } };
        const answer = await sendTo(url, field, text, of);
        if (answer?.status !== 429) return answer; // the api accepts one report a second
        await wait(300);
      }
    };
    say('warming up');
    for (const field of fields) take(seen, field, 'a', await send(field, 'a'));
    trace.mark();
    seen.sent = 0;

    say(`texts in ${fields.length} fields`);
    const inFields = amount(PAYLOADS * 0.7);
    const queue = Array.from({ length: inFields }, (_, at) => fields[at % fields.length] as Field);
    const inField = async () => {
      for (let field = queue.pop(); field; field = queue.pop()) await sendOne(seen, field, next, send);
    };
    const launches = amount(PAYLOADS * 0.15);
    let left = launches;
    const inLane = async (target: string) => {
      while (left-- > 0) await launch(seen, rig, { target, text: next(), random });
    };
    const texts = Array.from({ length: amount(PAYLOADS * 0.15) }, next);
    const [talked] = await Promise.all([
      talk(rig, { url, token, id: residents.talker, texts }),
      ...Array.from({ length: AT_ONCE }, inField),
      ...lanes.map(inLane),
    ]);

    say('checking the manifests and the api’s system calls');
    for (const id of residents.ids) await rig.api.insist('DELETE', `/jobs/${id}`);
    await untilQuiet(rig, 60_000);
    const { writes } = await openEtcd(rig.cluster.etcdUrl).history([`${JOBS}${rig.ground.namespace}/`]);
    const manifests = checkManifests(writes, seen.started, { innocents, others: residents.ids });
    const traced = trace.violations({ ports: [rig.links.postgres.port, rig.links.temporal.port] });
    const { opened, connected } = traced;
    return {
      n: seen.sent + texts.length,
      expected: inFields + launches + texts.length,
      violations: [
        ...seen.violations,
        ...talked,
        ...manifests.violations,
        ...traced.violations,
        ...trap.violations(),
      ],
      fields: fields.length,
      manifests: manifests.compared,
      opened,
      connected,
      statuses: seen.statuses,
    };
  },
};

/** Tries texts until one can be sent in such a field. */
async function sendOne(
  seen: Seen,
  field: Field,
  next: () => string,
  send: (field: Field, text: string) => Promise<Sent | undefined>,
): Promise<void> {
  for (let answer: Sent | undefined; !answer; ) {
    const text = next();
    try {
      answer = await send(field, text);
    } catch (error) {
      const { method, path } = field.operation;
      seen.violations.push(`${method} ${path}: ${JSON.stringify(text)}: ${String(error)}`);
      answer = { status: 0, type: '', headers: '', text: '' };
    }
    take(seen, field, text, answer);
  }
}

function take(seen: Seen, field: Field, text: string, answer: Sent | undefined): void {
  if (!answer) return;
  seen.sent += 1;
  seen.statuses[answer.status] = (seen.statuses[answer.status] ?? 0) + 1;
  seen.violations.push(...judge(field, answer).map((fault) => `${JSON.stringify(text)} ${fault}`));
  if (answer.status === 202 && field.operation.method === 'POST')
    seen.started.push(startedBy(field, text, answer));
}

/** One start with the text as one of its parameters; waits until its job has ended. */
async function launch(
  seen: Seen,
  rig: Rig,
  { target, text, random }: { target: string; text: string; random: Random },
): Promise<void> {
  const at = random.pick(PARAMETERS);
  const what = `${at} ${JSON.stringify(text)}`;
  const isKey = /^[\x21-\x7e]{1,255}$/.test(text); // characters that a header can hold
  const given = at === 'key' ? { key: isKey ? text : 'x' } : { given: { [at]: text } };
  const { status, started } = await startWith(rig, { target, what, ...given });
  seen.sent += 1;
  seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
  if (!started) return;
  seen.started.push(started);
  await rig.api.until(started.id, (job) => job.status === 'completed');
}
