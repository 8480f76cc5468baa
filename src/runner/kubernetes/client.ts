/**
 * Raw calls of the apiserver: Jobs, pods, events, logs. Knows nothing of our labels or of what a Job is for. Every call
 * has a deadline; what is safe to repeat is repeated here, within a budget, and nowhere else.
 */
import { request } from 'undici';
import type { Connection } from './connection.ts';
import { hasStatus, KubernetesError, refusal } from './errors.ts';
import type { Event, Job, List, ObjectMeta, Pod, Status } from './objects.ts';
import { orAborted, repeat } from './tries.ts';

export type Deleted =
  /** It is on its way out, or gone. */
  | 'deleting'
  | 'gone'
  /** Another object has the name by now; nothing was deleted. */
  | 'other_uid';

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: { readonly metadata: ObjectMeta } };

type Resource = 'jobs' | 'pods';

export type KubernetesClient = {
  /** POST with strict field validation. @throws KubernetesError; 409 when the name is taken */
  createJob(manifest: object): Promise<Job>;
  readJob(name: string): Promise<Job | undefined>;
  listJobs(selector: string): Promise<List<Job>>;
  listPods(selector: string): Promise<List<Pod>>;
  /** Of one object, newest last. */
  listEvents(involvedUid: string): Promise<Event[]>;
  /** Foreground, with the uid as a precondition; `force` does not wait for grace. */
  deleteJob(of: { name: string; uid: string; force: boolean }): Promise<Deleted>;
  /** With grace 0; needs the optional Role of force-delete. */
  deletePod(of: { name: string; uid: string }): Promise<Deleted>;
  /** From a resource version on, for at most 55 s; ends normally when the apiserver ends it. @throws 410 when too old */
  watch<T extends Job | Pod>(
    resource: Resource,
    selector: string,
    from: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** Lines with time stamps, until the container ends or the signal aborts. */
  followLog(
    pod: string,
    container: string,
    sinceTime: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Buffer>;
  /** Whether this very account may do it in our namespace. */
  mayI(verb: string, resource: { group: string; name: string; subresource?: string }): Promise<boolean>;
};

const CALL_MS = 8_000;
const WATCH_SECONDS = 50;
const WATCH_MS = 55_000;
const HEADERS_MS = 10_000;
const PAGE = 500;

type Call = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** One try of a call: `status` 0 where none came. @param resource such as `jobs` */
export type OnCall = (call: { method: string; resource: string; status: number; seconds: number }) => void;

/** @param onCall told of every try but streams */
export function createClient(connection: Connection, onCall?: OnCall): KubernetesClient {
  const namespaced = `namespaces/${connection.namespace}`;
  const paths = { jobs: `/apis/batch/v1/${namespaced}/jobs`, pods: `/api/v1/${namespaced}/pods` };

  return {
    createJob: (manifest) =>
      send<Job>({ method: 'POST', path: paths.jobs, query: { fieldValidation: 'Strict' }, body: manifest }),
    readJob: (name) => orAbsent(ask<Job>({ method: 'GET', path: `${paths.jobs}/${name}` })),
    listJobs: (selector) => listAll<Job>(paths.jobs, selector),
    listPods: (selector) => listAll<Pod>(paths.pods, selector),
    async listEvents(involvedUid) {
      const query = { fieldSelector: `involvedObject.uid=${involvedUid}`, limit: '100' };
      const list = await ask<List<Event>>({ method: 'GET', path: `/api/v1/${namespaced}/events`, query });
      return list.items.toSorted(
        (a, b) => Date.parse(a.lastTimestamp ?? '') - Date.parse(b.lastTimestamp ?? ''),
      );
    },
    deleteJob: ({ name, uid, force }) => remove(`${paths.jobs}/${name}`, uid, force),
    deletePod: ({ name, uid }) => remove(`${paths.pods}/${name}`, uid, true),
    async *watch<T extends Job | Pod>(
      resource: Resource,
      selector: string,
      from: string,
      signal: AbortSignal,
    ) {
      const query = {
        watch: 'true',
        allowWatchBookmarks: 'true',
        labelSelector: selector,
        resourceVersion: from,
        timeoutSeconds: String(WATCH_SECONDS),
      };
      const limited = AbortSignal.any([signal, AbortSignal.timeout(WATCH_MS)]);
      for await (const line of lines(stream(paths[resource], query, limited))) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
        if (event.type === 'ERROR')
          throw refusal(
            `watch ${resource}`,
            event.object.code ?? 500,
            JSON.stringify(event.object),
            undefined,
          );
        yield event;
      }
    },
    followLog(pod, container, sinceTime, signal) {
      const query = { container, follow: 'true', timestamps: 'true', ...(sinceTime ? { sinceTime } : {}) };
      return stream(`${paths.pods}/${pod}/log`, query, signal);
    },
    async mayI(verb, { group, name, subresource }) {
      const { namespace } = connection;
      const resourceAttributes = {
        namespace,
        verb,
        group,
        resource: name,
        ...(subresource ? { subresource } : {}),
      };
      const body = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      // Only asks: safe to repeat although it is a POST.
      const review = await ask<{ status?: { allowed?: boolean } }>({ method: 'POST', path, body });
      return review.status?.allowed === true;
    },
  };

  async function listAll<T>(path: string, selector: string): Promise<List<T>> {
    const items: T[] = [];
    let token: string | undefined;
    for (;;) {
      const query: Record<string, string> = { labelSelector: selector, limit: String(PAGE) };
      if (token !== undefined) query['continue'] = token;
      const page: List<T> = await ask<List<T>>({ method: 'GET', path, query });
      items.push(...page.items);
      token = page.metadata.continue;
      if (!token) return { metadata: page.metadata, items };
    }
  }

  async function remove(path: string, uid: string, force: boolean): Promise<Deleted> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      // Anything else leaves the pods behind (faults.md row 13).
      propagationPolicy: 'Foreground',
      preconditions: { uid },
      ...(force ? { gracePeriodSeconds: 0 } : {}),
    };
    try {
      await ask<unknown>({ method: 'DELETE', path, body });
      return 'deleting';
    } catch (error) {
      if (hasStatus(error, 404)) return 'gone';
      if (hasStatus(error, 409)) return 'other_uid';
      throw error;
    }
  }

  async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Tries again; only for what is safe to repeat. */
  function ask<T>(call: Call): Promise<T> {
    return repeat((withinMs) => send<T>(call, withinMs), CALL_MS);
  }

  /** One try. @throws KubernetesError, with status 0 when no answer came within the deadline */
  async function send<T>(call: Call, withinMs = CALL_MS): Promise<T> {
    const what = `${call.method} ${call.path}`;
    const signal = AbortSignal.timeout(withinMs);
    const { headers, dispatcher } = await identify(what, 'call');
    let answer: { status: number; text: string; retryAfter: string | undefined };
    const began = performance.now();
    const tell = (status: number) => {
      const seconds = (performance.now() - began) / 1000;
      onCall?.({ method: call.method, resource: resourceOf(call.path), status, seconds });
    };
    try {
      const response = await orAborted(
        request(urlOf(call.path, call.query), {
          method: call.method,
          dispatcher,
          signal,
          headers: { ...headers, accept: 'application/json', 'content-type': 'application/json' },
          body: call.body === undefined ? null : JSON.stringify(call.body),
        }),
        signal,
      );
      answer = {
        status: response.statusCode,
        text: await response.body.text(),
        retryAfter: response.headers['retry-after']?.toString(),
      };
      tell(answer.status);
    } catch (cause) {
      tell(0);
      throw noAnswer(what, cause, signal.aborted ? `within ${Math.round(withinMs / 1000)} s` : undefined);
    }
    if (answer.status >= 300) {
      if (answer.status === 401) connection.reload();
      throw refusal(what, answer.status, answer.text, answer.retryAfter);
    }
    return JSON.parse(answer.text) as T;
  }

  async function* stream(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const what = `GET ${path}`;
    const given = new AbortController();
    const { headers, dispatcher } = await identify(what, 'stream');
    try {
      const response = await orAborted(
        request(urlOf(path, query), {
          dispatcher,
          signal: AbortSignal.any([signal, given.signal]),
          headers: { ...headers, accept: 'application/json, */*' },
          headersTimeout: HEADERS_MS,
          bodyTimeout: 0,
        }),
        AbortSignal.any([signal, AbortSignal.timeout(HEADERS_MS)]),
      );
      if (response.statusCode >= 300) {
        if (response.statusCode === 401) connection.reload();
        const retryAfter = response.headers['retry-after']?.toString();
        throw refusal(what, response.statusCode, await response.body.text(), retryAfter);
      }
      for await (const chunk of response.body) yield chunk as Buffer;
    } catch (cause) {
      throw cause instanceof KubernetesError ? cause : noAnswer(what, cause);
    } finally {
      given.abort();
    }
  }

  async function identify(what: string, use: 'call' | 'stream') {
    try {
      return await connection.authenticate(use);
    } catch (cause) {
      // An exec plugin or a token file that fails just now.
      throw noAnswer(what, cause, 'no credentials');
    }
  }

  function urlOf(path: string, query: Readonly<Record<string, string>> = {}): string {
    const search = new URLSearchParams(query).toString();
    return `${connection.server}${path}${search === '' ? '' : `?${search}`}`;
  }
}

/** The kind of thing a path names, without its name. */
function resourceOf(path: string): string {
  return /\/(jobs|pods|events|selfsubjectaccessreviews)(\/|$)/.exec(path)?.[1] ?? 'other';
}

function noAnswer(what: string, cause: unknown, why?: string): KubernetesError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new KubernetesError(
    what,
    { status: 0, detail: why === undefined ? said : `${why}: ${said}` },
    { cause },
  );
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      from = at + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
}
