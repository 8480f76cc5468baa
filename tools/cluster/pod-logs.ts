/**
 * Serves the logs of the fake pods as the node's kubelet would, from one file per container that tests append to. kwok can
 * serve files too, but never ends a followed log, because it considers every container running.
 */
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Endpoint, request } from './api.ts';
import { lineFilter, parseLine, type LogQuery } from './log-lines.ts';

export type ContainerRef = { readonly namespace: string; readonly pod: string; readonly container: string };

export type PodLogs = {
  /** Path of one container's log file, which may not exist yet. */
  file(of: ContainerRef): string;
  /** Appends lines, each with its own time. */
  write(of: ContainerRef, lines: readonly string[]): void;
  close(): Promise<void>;
};

export type PodLogsOptions = {
  readonly dir: string;
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly api: Endpoint;
  /** False while the node counts as lost. */
  readonly available: () => boolean;
};

const FOLLOW_EVERY_MS = 100;
/** Interval of listing the live pods while a log is followed. */
const PODS_EVERY_MS = 500;

export async function servePodLogs(options: PodLogsOptions): Promise<PodLogs> {
  const file = ({ namespace, pod, container }: ContainerRef) =>
    path.join(options.dir, 'pod-logs', namespace, pod, `${container}.log`);
  const closing = new AbortController();
  const livePods = pollLivePods(options.api, closing.signal);
  const context = { file, livePods, available: options.available, closing: closing.signal };
  const server = https.createServer(
    { cert: readFileSync(options.certFile), key: readFileSync(options.keyFile) },
    (call, response) => {
      if (!options.available()) call.socket.destroy();
      else answer(call, response, context).catch((error: unknown) => response.destroy(error as Error));
    },
  );
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    file,
    write(of, lines) {
      const log = file(of);
      mkdirSync(path.dirname(log), { recursive: true });
      appendFileSync(log, lines.map((line) => `${timestamp()} stdout F ${line}\n`).join(''));
    },
    async close() {
      closing.abort();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Context = {
  readonly file: (of: ContainerRef) => string;
  readonly livePods: LivePods;
  readonly available: () => boolean;
  readonly closing: AbortSignal;
};

/** Answers `GET /containerLogs/<namespace>/<pod>/<container>` as a kubelet does. */
async function answer(call: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const url = new URL(call.url ?? '/', 'https://kubelet');
  const [, kind, namespace, pod, container] = url.pathname.split('/').map(decodeURIComponent);
  if (kind !== 'containerLogs' || namespace === undefined || pod === undefined || container === undefined) {
    response.writeHead(404).end();
    return;
  }
  const query = readQuery(url.searchParams);
  if (query.previous) {
    response.writeHead(400).end(`previous terminated container "${container}" in pod "${pod}" not found`);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await sendLog({ namespace, pod, container }, query, response, context);
}

async function sendLog(
  of: ContainerRef,
  query: ReturnType<typeof readQuery>,
  response: ServerResponse,
  { file, livePods, available, closing }: Context,
): Promise<void> {
  const since = Date.now();
  const filter = lineFilter(query);
  const log = file(of);
  const first = linesFrom(log, 0);
  let { end } = first;
  const send = async (lines: readonly string[]) => {
    const text = filter(lines);
    if (text !== '' && !response.write(text)) await once(response, 'drain');
  };
  const kept = first.lines.filter((line) => parseLine(line).at >= query.since);
  const { tailLines = kept.length } = query;
  await send(kept.slice(kept.length - Math.min(tailLines, kept.length)));
  while (query.follow && !filter.full() && !response.destroyed && !closing.aborted) {
    if (!available()) {
      response.destroy();
      return;
    }
    const live = await livePods.has(`${of.namespace}/${of.pod}`, since);
    const more = linesFrom(log, end); // read after the check, so that it includes the last lines of an ended pod
    end = more.end;
    await send(more.lines);
    if (!live) break;
    await wait(FOLLOW_EVERY_MS);
  }
  response.end();
}

function readQuery(
  query: URLSearchParams,
): LogQuery & { follow: boolean; previous: boolean; tailLines?: number } {
  const seconds = query.get('sinceSeconds');
  const time = query.get('sinceTime');
  const limit = query.get('limitBytes');
  const tail = query.get('tailLines');
  return {
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    since: seconds === null ? (time === null ? 0 : Date.parse(time)) : Date.now() - Number(seconds) * 1000,
    ...(limit === null ? {} : { limitBytes: Number(limit) }),
    ...(tail === null ? {} : { tailLines: Number(tail) }),
  };
}

/** Reads the complete lines from a byte offset on; an incomplete line is left for the next call. */
function linesFrom(file: string, start: number): { lines: string[]; end: number } {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], end: start };
    throw error;
  }
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(fd).size - start));
    readSync(fd, buffer, 0, buffer.length, start);
    const length = buffer.lastIndexOf('\n') + 1;
    return { lines: buffer.toString('utf8', 0, length).split('\n').slice(0, -1), end: start + length };
  } finally {
    closeSync(fd);
  }
}

type LivePods = {
  /** False when the pod had ended or was gone at some time after `since`; true also while the apiserver is down. */
  has(pod: string, since: number): Promise<boolean>;
};

/** Lists the running pods, only on demand. */
function pollLivePods(api: Endpoint, signal: AbortSignal): LivePods {
  const selector = encodeURIComponent('status.phase!=Succeeded,status.phase!=Failed');
  const list = async (): Promise<ReadonlySet<string> | undefined> => {
    const answer = await request(api, 'GET', `/api/v1/pods?fieldSelector=${selector}`, {
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    }).catch(() => undefined); // the apiserver is down, which followers notice by themselves
    if (answer?.status !== 200) return undefined;
    const { items } = JSON.parse(answer.body) as {
      /** Null when there are none. */
      items: readonly { metadata: { namespace: string; name: string } }[] | null;
    };
    return new Set((items ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  };
  let last: { readonly at: number; readonly pods: ReturnType<typeof list> } | undefined;
  return {
    async has(pod, since) {
      // A list from before the request may be older than the pod.
      if (last === undefined || last.at < since || Date.now() - last.at > PODS_EVERY_MS)
        last = { at: Date.now(), pods: list() };
      const pods = await last.pods;
      return pods === undefined || pods.has(pod);
    },
  };
}

/** RFC 3339 with nanoseconds, different for each call. */
function timestamp(): string {
  const now = process.hrtime.bigint() + CLOCK_OFFSET;
  const seconds = new Date(Number(now / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(now % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

const CLOCK_OFFSET = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
