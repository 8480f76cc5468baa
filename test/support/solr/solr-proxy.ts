/** A proxy between the program and Solr: a test sees each request, and may replace it or its answer. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Passing = {
  readonly method: string;
  /** Path below …/solr/, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly authorization: string | undefined;
};

/** `cut`: the connection ends; `stall`: nothing ever comes; or an answer of the test. */
export type Bend =
  | 'cut'
  | 'stall'
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

export type SolrProxy = AsyncDisposable & {
  /** …/solr/ */
  readonly url: string;
  readonly passed: Passing[];
  /** Replaces a request; undefined passes it on. */
  before: ((request: Passing) => Bend | undefined | Promise<Bend | undefined>) | null;
  /** Replaces an answer: Solr has acted, but the caller has not heard of it yet. */
  after: ((request: Passing) => Bend | undefined | Promise<Bend | undefined>) | null;
};

export async function startSolrProxy(solrUrl: string): Promise<SolrProxy> {
  const server = createServer((asked, answer) => {
    serve(asked, answer).catch(() => asked.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const serve = async (asked: IncomingMessage, answer: ServerResponse) => {
    const at = new URL(asked.url ?? '', 'http://solr');
    const request: Passing = {
      method: asked.method ?? '',
      path: at.pathname.replace(/^\/solr\//, ''),
      query: Object.fromEntries(at.searchParams),
      body: await text(asked),
      authorization: asked.headers.authorization,
    };
    proxy.passed.push(request);
    if (bent(await proxy.before?.(request), asked, answer)) return;
    const real = await fetch(new URL(`${request.path}${at.search}`, solrUrl), {
      method: request.method,
      ...(request.method === 'POST'
        ? { body: request.body, headers: { 'content-type': asked.headers['content-type'] ?? '' } }
        : {}),
    });
    const body = await real.text();
    if (bent(await proxy.after?.(request), asked, answer)) return;
    answer.writeHead(real.status, { 'content-type': 'application/json' }).end(body);
  };
  const proxy: SolrProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/solr/`,
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

function bent(how: Bend | undefined, asked: IncomingMessage, answer: ServerResponse): boolean {
  if (how === undefined) return false;
  if (how === 'cut') asked.socket.destroy();
  else if (how !== 'stall') {
    const { status, body = { error: { msg: 'in trouble', code: status } }, headers = {} } = how;
    answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }
  return true;
}
