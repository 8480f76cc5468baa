/** Jobs that run until they are cancelled: they take reports, and one of them prints. */
import { setTimeout as wait } from 'node:timers/promises';
import { maskCredentials } from '../../../src/domain/mask.ts';
import { makeReportToken } from '../../../src/auth/report-token.ts';
import { CONTAINER } from '../../../src/runner/kubernetes/apiserver/types.ts';
import type { Rig } from '../rig/rig.ts';
import { startWith } from './starts.ts';

const REPORTERS = ['reporter-0', 'reporter-1', 'reporter-2', 'reporter-3'];
const TALKER = 'talker';

/** Needed when the rig starts. */
export const RESIDENTS = [...REPORTERS, TALKER].map((name) => ({
  name,
  more: 'POD_OVERRIDES={"annotations":{"kwok.syncrator/finish-after":"never"}}\n',
}));

export type Residents = {
  readonly ids: readonly number[];
  readonly talker: number;
  /** One of the reporters, chosen by the number, and its program's token. */
  reporter(turn: number): { readonly id: number; readonly token: string };
};

/** Resolves when all of them run. */
export async function startResidents(rig: Rig): Promise<Residents> {
  const jobs = await Promise.all(
    RESIDENTS.map(async ({ name }) => {
      const { status, started } = await startWith(rig, { target: name });
      if (!started) throw new Error(`${name}: ${status}`);
      return await rig.api.until(started.id, (job) => job.status === 'running');
    }),
  );
  const secret = rig.environment['SYNCRATOR_SECRET'] ?? '';
  return {
    ids: jobs.map(({ id }) => id),
    talker: jobs[REPORTERS.length]?.id ?? 0,
    reporter(turn) {
      const { id = 0, uid = '' } = jobs[turn % REPORTERS.length] ?? {};
      return { id, token: makeReportToken([secret], { uid, step: 0, attempt: 1 }) };
    },
  };
}

/**
 * A program prints the texts: they must come back unchanged except for filtered credentials, as text that no
 * browser interprets.
 */
export async function talk(
  rig: Rig,
  of: { url: string; token: string; id: number; texts: readonly string[] },
): Promise<string[]> {
  // A log line has no line ends inside, and no halves of surrogate pairs.
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
    violations = wanted.filter((line) => !got.has(line)).map((line) => `a log line has changed: ${line}`);
    if (!type.startsWith('text/plain')) violations.push(`a log was answered as ${type}`);
    if (answer.headers.get('x-content-type-options') !== 'nosniff') violations.push('a log without nosniff');
    if (violations.length === 0) break;
  }
  return violations;
}
