/**
 * Raw calls of the apiserver: Jobs, pods, events, logs. Knows neither our labels nor the purpose of a Job. Every call
 * has a deadline; calls that are safe to repeat are retried here within a budget, and nowhere else.
 */
import type { Connection } from './connection.ts';
import { errorFromAnswer, hasStatus } from './errors.ts';
import { createRequests, type OnCall, type Requests } from './requests.ts';
import type { Event, Job, List, ObjectMeta, Pod, Status } from './types.ts';

export type { OnCall } from './requests.ts';

export type Deleted =
  /** The deletion has begun or is done. */
  | 'deleting'
  | 'gone'
  /** Another object has the name now; nothing was deleted. */
  | 'other_uid';

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: { readonly metadata: ObjectMeta } };

type Resource = 'jobs' | 'pods';
type Right = { group: string; name: string; subresource?: string };

export type KubernetesClient = {
  /** POST with strict field validation. @throws KubernetesError; 409 when the name is taken */
  createJob(manifest: object): Promise<Job>;
  readJob(name: string): Promise<Job | undefined>;
  listJobs(selector: string): Promise<List<Job>>;
  listPods(selector: string): Promise<List<Pod>>;
  /** Events about one object, newest last. */
  listEvents(involvedUid: string): Promise<Event[]>;
  /** Deletes in the foreground, with the uid as a precondition; `force` sets the grace period to 0. */
  deleteJob(of: { name: string; uid: string; force: boolean }): Promise<Deleted>;
  /** Deletes with a grace period of 0; needs the optional Role of force-delete. */
  deletePod(of: { name: string; uid: string }): Promise<Deleted>;
  /** Watches from a resource version, for at most 55 s; returns when the apiserver ends it. @throws 410 when too old */
  watch<T extends Job | Pod>(
    resource: Resource,
    selector: string,
    from: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * Streams log lines with time stamps, until the container ends or the signal aborts.
   * @param follow false returns only the lines written so far
   */
  streamLog(
    pod: string,
    container: string,
    sinceTime: string | undefined,
    signal: AbortSignal,
    follow?: boolean,
  ): AsyncIterable<Buffer>;
  /** Whether the account of this client has the permission in our namespace. */
  mayI(verb: string, resource: Right): Promise<boolean>;
};

const WATCH_SECONDS = 50;
const WATCH_MS = 55_000;
const PAGE = 500;

/** @param onCall called for every attempt of a call except streams */
export function createClient(connection: Connection, onCall?: OnCall): KubernetesClient {
  const requests = createRequests(connection, onCall);
  const { namespace } = connection;
  const core = `/api/v1/namespaces/${namespace}`;
  const paths = { jobs: `/apis/batch/v1/namespaces/${namespace}/jobs`, pods: `${core}/pods` };
  return {
    createJob: (body) =>
      requests.send<Job>({ method: 'POST', path: paths.jobs, query: { fieldValidation: 'Strict' }, body }),
    readJob: (name) => orAbsent(requests.ask<Job>({ method: 'GET', path: `${paths.jobs}/${name}` })),
    listJobs: (selector) => listAll<Job>(requests, paths.jobs, selector),
    listPods: (selector) => listAll<Pod>(requests, paths.pods, selector),
    listEvents: (involvedUid) => listEvents(requests, `${core}/events`, involvedUid),
    deleteJob: ({ name, uid, force }) => deleteObject(requests, `${paths.jobs}/${name}`, uid, force),
    deletePod: ({ name, uid }) => deleteObject(requests, `${paths.pods}/${name}`, uid, true),
    watch: <T extends Job | Pod>(resource: Resource, selector: string, from: string, signal: AbortSignal) =>
      watch<T>(requests, { path: paths[resource], resource, selector, from, signal }),
    streamLog(pod, container, sinceTime, signal, follow = true) {
      const since = sinceTime ? { sinceTime } : {};
      const query = { container, follow: String(follow), timestamps: 'true', ...since };
      return requests.stream(`${paths.pods}/${pod}/log`, query, signal);
    },
    mayI: (verb, right) => hasRight(requests, { namespace, verb, ...right }),
  };
}

async function* watch<T extends Job | Pod>(
  requests: Requests,
  of: { path: string; resource: Resource; selector: string; from: string; signal: AbortSignal },
): AsyncGenerator<WatchEvent<T>> {
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    labelSelector: of.selector,
    resourceVersion: of.from,
    timeoutSeconds: String(WATCH_SECONDS),
  };
  const limited = AbortSignal.any([of.signal, AbortSignal.timeout(WATCH_MS)]);
  for await (const line of lines(requests.stream(of.path, query, limited))) {
    const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
    if (event.type === 'ERROR') {
      const { object } = event;
      throw errorFromAnswer(`watch ${of.resource}`, object.code ?? 500, JSON.stringify(object), undefined);
    }
    yield event;
  }
}

async function listAll<T>(requests: Requests, path: string, selector: string): Promise<List<T>> {
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const query: Record<string, string> = { labelSelector: selector, limit: String(PAGE) };
    if (token !== undefined) query['continue'] = token;
    const page: List<T> = await requests.ask<List<T>>({ method: 'GET', path, query });
    items.push(...page.items);
    token = page.metadata.continue;
    if (!token) return { metadata: page.metadata, items };
  }
}

async function listEvents(requests: Requests, path: string, involvedUid: string): Promise<Event[]> {
  const query = { fieldSelector: `involvedObject.uid=${involvedUid}`, limit: '100' };
  const list = await requests.ask<List<Event>>({ method: 'GET', path, query });
  return list.items.toSorted((a, b) => Date.parse(a.lastTimestamp ?? '') - Date.parse(b.lastTimestamp ?? ''));
}

async function deleteObject(requests: Requests, path: string, uid: string, force: boolean): Promise<Deleted> {
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    // By default batch/v1 deletes the Job and leaves its pods (kubernetes/kubernetes#20902).
    propagationPolicy: 'Foreground',
    preconditions: { uid },
    ...(force ? { gracePeriodSeconds: 0 } : {}),
  };
  try {
    await requests.ask<unknown>({ method: 'DELETE', path, body });
    return 'deleting';
  } catch (error) {
    if (hasStatus(error, 404)) return 'gone';
    if (hasStatus(error, 409)) return 'other_uid';
    throw error;
  }
}

async function hasRight(
  requests: Requests,
  of: Right & { namespace: string; verb: string },
): Promise<boolean> {
  const { namespace, verb, group, name, subresource } = of;
  const attributes = { namespace, verb, group, resource: name, ...(subresource ? { subresource } : {}) };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: attributes },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  // This POST creates nothing, so it is safe to repeat.
  const review = await requests.ask<{ status?: { allowed?: boolean } }>({ method: 'POST', path, body });
  return review.status?.allowed === true;
}

async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
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
