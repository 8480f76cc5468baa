/**
 * The logs of the fake pods: a file per container that tests append to, served as the node's kubelet would.
 * kwok can serve files too, but never ends a followed log: it takes every container for a running one.
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
  /** The file of one container's log; it may not exist yet. */
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
  /** False while the node is to be taken for lost. */
  readonly available: () => boolean;
};

const FOLLOW_EVERY_MS = 100;
/** How often it is asked which pods still run, while somebody follows one. */
const PODS_EVERY_MS = 500;

export async function servePodLogs(options: PodLogsOptions): Promise<PodLogs> {
  const { dir, api } = options;
  const file = ({ namespace, pod, container }: ContainerRef) =>
    path.join(dir, 'pod-logs', namespace, pod, `${container}.log`);
  const closing = new AbortController();
  const livePods = pollLivePods(api, closing.signal);

  async function serve(call: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(call.url ?? '/', 'https://kubelet');
    const [, kind, namespace, pod, container] = url.pathname.split('/').map(decodeURIComponent);
    if (kind !== 'containerLogs' || namespace === undefined || pod === undefined || container === undefined) {
      response.writeHead(404).end();
      return;
    }
    const since = Date.now();
    const query = readQuery(url.searchParams);
    if (query.previous) {
      response.writeHead(400).end(`previous terminated container "${container}" in pod "${pod}" not found`);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    const filter = lineFilter(query);
    const log = file({ namespace, pod, container });
    const first = linesFrom(log, 0);
    let { end } = first;
    const send = async (lines: readonly string[]) => {
      const text = filter(lines);
      if (text !== '' && !response.write(text)) await once(response, 'drain');
    };
    const kept = first.lines.filter((line) => parseLine(line).at >= query.since);
    await send(
      query.tailLines === undefined ? kept : kept.slice(kept.length - Math.min(query.tailLines, kept.length)),
    );
    while (query.follow && !filter.full() && !response.destroyed && !closing.signal.aborted) {
      if (!options.available()) {
        response.destroy();
        return;
      }
      const live = await livePods.has(`${namespace}/${pod}`, since);
      const more = linesFrom(log, end); // read after the pod was seen: its last lines are in
      end = more.end;
      await send(more.lines);
      if (!live) break;
      await wait(FOLLOW_EVERY_MS);
    }
    response.end();
  }

  const server = https.createServer(
    { cert: readFileSync(options.certFile), key: readFileSync(options.keyFile) },
    (call, response) => {
      if (!options.available()) call.socket.destroy();
      else serve(call, response).catch((error: unknown) => response.destroy(error as Error));
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

/** The whole lines from that byte on; half a line is left for the next time. */
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
  /** False when the pod had ended, or was gone, some time after `since`; true also while the apiserver is away. */
  has(pod: string, since: number): Promise<boolean>;
};

/** Which pods have not ended, asked only while somebody wants to know. */
function pollLivePods(api: Endpoint, signal: AbortSignal): LivePods {
  const selector = encodeURIComponent('status.phase!=Succeeded,status.phase!=Failed');
  const list = async (): Promise<ReadonlySet<string> | undefined> => {
    const answer = await request(api, 'GET', `/api/v1/pods?fieldSelector=${selector}`, {
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    }).catch(() => undefined); // nobody listens: whoever follows learns it from the apiserver itself
    if (answer?.status !== 200) return undefined;
    const { items } = JSON.parse(answer.body) as {
      /** Null when there is none. */
      items: readonly { metadata: { namespace: string; name: string } }[] | null;
    };
    return new Set((items ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  };
  let last: { readonly at: number; readonly pods: ReturnType<typeof list> } | undefined;
  return {
    async has(pod, since) {
      // A list from before the following began may be from before the pod was made.
      if (last === undefined || last.at < since || Date.now() - last.at > PODS_EVERY_MS)
        last = { at: Date.now(), pods: list() };
      const pods = await last.pods;
      return pods === undefined || pods.has(pod);
    },
  };
}

/** RFC 3339 with nanoseconds; two calls never give the same. */
function timestamp(): string {
  const now = process.hrtime.bigint() + CLOCK_OFFSET;
  const seconds = new Date(Number(now / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(now % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

const CLOCK_OFFSET = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
