/** A proxy between the program and a server: a test sees each request, and may replace it or its answer. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Passing = {
  readonly method: string;
  /** Path below the server's address, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly authorization: string | undefined;
};

/** `cut`: the connection ends; `stall`: nothing ever comes; or an answer of the test, or the first bytes of the usual one. */
export type Bend =
  | 'cut'
  | 'stall'
  | { readonly first: number; readonly ending: 'cut' | 'end' }
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

export type BendingProxy = AsyncDisposable & {
  /** Stands for the server's address. */
  readonly url: string;
  readonly passed: Passing[];
  /** Replaces a request; undefined passes it on. */
  before: ((request: Passing) => Bend | undefined | Promise<Bend | undefined>) | null;
  /** Replaces an answer: the server has acted, but the caller has not heard of it yet. */
  after: ((request: Passing) => Bend | undefined | Promise<Bend | undefined>) | null;
};

export async function startBendingProxy(serverUrl: string): Promise<BendingProxy> {
  const server = createServer((asked, answer) => {
    serve(asked, answer).catch(() => asked.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const base = new URL(serverUrl).pathname;
  const serve = async (asked: IncomingMessage, answer: ServerResponse) => {
    const at = new URL(asked.url ?? '', serverUrl);
    const request: Passing = {
      method: asked.method ?? '',
      path: at.pathname.slice(base.length),
      query: Object.fromEntries(at.searchParams),
      body: await text(asked),
      authorization: asked.headers.authorization,
    };
    proxy.passed.push(request);
    if (bent(await proxy.before?.(request), asked, answer)) return;
    const real = await fetch(new URL(`${request.path}${at.search}`, serverUrl), {
      method: request.method,
      ...(request.body !== ''
        ? { body: request.body, headers: { 'content-type': asked.headers['content-type'] ?? '' } }
        : {}),
    });
    const body = await real.text();
    const usual = {
      status: real.status,
      body,
      headers: { 'content-type': real.headers.get('content-type') ?? 'application/json' },
    };
    if (bent(await proxy.after?.(request), asked, answer, usual)) return;
    answer.writeHead(usual.status, usual.headers).end(body);
  };
  const proxy: BendingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    passed: [],
    before: null,
    after: null,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}

type Usual = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

function bent(
  how: Bend | undefined,
  asked: IncomingMessage,
  answer: ServerResponse,
  usual: Usual = { status: 200, body: '', headers: {} },
): boolean {
  if (how === undefined) return false;
  if (how === 'cut') asked.socket.destroy();
  else if (typeof how === 'object' && 'first' in how) {
    answer.writeHead(usual.status, usual.headers);
    const begun = usual.body.slice(0, how.first);
    if (how.ending === 'end') answer.end(begun);
    else answer.write(begun, () => asked.socket.destroy());
  } else if (how !== 'stall') {
    const { status, body = { error: { msg: 'in trouble', code: status } }, headers = {} } = how;
    answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }
  return true;
}
