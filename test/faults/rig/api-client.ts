/**
 * Calls the product over HTTP as a careful client does: each call has a time limit, and unclear outcomes are asked
 * again.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { isFinal, type JobStatus } from '../../../src/domain/status.ts';
import { NotFinished } from '../program.ts';
import { ADMIN_PASSWORD } from '../../support/login.ts';
import type { Busyness } from './busyness.ts';

export type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
  /** From the request to the whole answer. */
  readonly milliseconds: number;
};

export type CallOptions = {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The api to call; by default the next one in turn. */
  readonly at?: number;
  readonly timeoutMs?: number;
};

export type ApiClient = {
  /**
   * One try.
   * @throws Error if no answer comes in time
   */
  call(method: string, route: string, options?: CallOptions): Promise<Answer>;
  /**
   * Tries until an answer is below 500: another api each time, a start with the same Idempotency-Key.
   * @throws Error after two minutes
   */
  insist(method: string, route: string, options?: CallOptions): Promise<Answer>;
  /** Requests a job by parameters, `POST /run`; retries as above. */
  start(of: Run & { idempotencyKey?: string }): Promise<Answer>;
  /**
   * The id of a job that must be new.
   * @throws Error if it is not
   */
  started(of: Run): Promise<number>;
  /**
   * Reads a job until it fits.
   * @returns the job
   * @throws NotFinished with the last reading, after this time on an idle machine
   */
  until(id: number, fits: (job: Shown) => boolean, timeoutMs?: number): Promise<Shown>;
  untilEnded(id: number): Promise<Shown>;
};

type Run = { readonly target: string; readonly action: string; readonly options: string };

/** The fields of `GET /jobs/:id` that the programs judge. */
export type Shown = {
  readonly id: number;
  readonly uid: string;
  readonly status: JobStatus;
  readonly status_reason: string | null;
  readonly status_detail: string | null;
  readonly stalled: boolean;
  readonly diagnosis: { readonly code: string; readonly detail: string; readonly what_to_do: string } | null;
  readonly steps: readonly { readonly name: string; readonly attempt: number; readonly action: string }[];
};

const CALL_MS = 15_000;
const INSIST_MS = 120_000;
const LOOK_MS = 250;

/** The body of `POST /run` for one of the rig's targets; further fields replace these. */
export function runBody<T extends { target: string; action: string }>(of: T) {
  return { env: 'dev', action_name: of.action, is_tag: 'latest', ...of };
}

/** @throws Error if no api accepts the login */
export async function createApiClient(
  urls: readonly string[],
  busyness: Pick<Busyness, 'factor'> = { factor: () => 1 },
): Promise<ApiClient> {
  let turn = 0;
  let token = '';
  let renewAt = 0;

  async function call(method: string, route: string, options: CallOptions = {}): Promise<Answer> {
    if (Date.now() > renewAt && route !== '/login') await signIn();
    const { body, headers, at = turn++, timeoutMs = CALL_MS } = options;
    const began = performance.now();
    const answer = await fetch(`${urls[at % urls.length]}${route}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
    });
    const text = await answer.text();
    const milliseconds = performance.now() - began;
    const parsed = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: answer.status, body: parsed, headers: answer.headers, milliseconds };
  }

  /** Its token lasts 15 minutes, a program less than 10. */
  async function signIn(): Promise<void> {
    renewAt = Date.now() + 600_000;
    const { status, body } = await insist('POST', '/login', {
      body: { username: 'admin', password: ADMIN_PASSWORD },
    });
    if (typeof body['access_token'] !== 'string') throw new Error(`login: ${status}`);
    token = body['access_token'];
  }

  async function insist(method: string, route: string, options: CallOptions = {}): Promise<Answer> {
    const deadline = Date.now() + INSIST_MS;
    const headers = { ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}), ...options.headers };
    for (;;) {
      try {
        const answer = await call(method, route, { timeoutMs: 5_000, ...options, headers });
        if (answer.status < 500) return answer;
        if (Date.now() > deadline) throw new Error(`${method} ${route}: still ${answer.status}`);
      } catch (error) {
        if (Date.now() > deadline) throw error; // killed just now, or starting: the next try asks the other one
      }
      await wait(100);
    }
  }

  const start: ApiClient['start'] = ({ idempotencyKey, ...of }) =>
    insist('POST', '/run', {
      body: runBody(of),
      ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
    });

  async function until(id: number, fits: (job: Shown) => boolean, timeoutMs = INSIST_MS): Promise<Shown> {
    for (const began = Date.now(); ; await wait(LOOK_MS)) {
      const job = (await insist('GET', `/jobs/${id}`)).body as unknown as Shown;
      if (fits(job)) return job;
      if (Date.now() - began > timeoutMs * busyness.factor(began))
        throw new NotFinished(`job ${id} stays ${JSON.stringify(job)}`);
    }
  }

  await signIn();
  return {
    call,
    insist,
    start,
    async started(of) {
      const { status, body } = await start(of);
      if (status !== 202) throw new Error(`${of.target}: ${status} ${JSON.stringify(body)}`);
      return Number(body['job_id']);
    },
    until,
    untilEnded: (id) => until(id, ({ status }) => isFinal(status)),
  };
}
