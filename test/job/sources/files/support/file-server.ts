/** A web server with one file, which can break off, lie and change. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FileServer = AsyncDisposable & {
  readonly url: string;
  body: Buffer;
  /** null: it sends none. */
  etag: string | null;
  /** Answers in place of the file; undefined: the file. */
  bend: ((request: IncomingMessage, response: ServerResponse, count: number) => boolean) | null;
  /** Headers of the requests so far. */
  readonly requests: IncomingMessage['headers'][];
};

export async function startFileServer(name: string, body: string | Buffer): Promise<FileServer> {
  const server = createServer((request, response) => {
    files.requests.push(request.headers);
    if (files.bend?.(request, response, files.requests.length) !== true) serve(files, request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const files: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`,
    body: Buffer.from(body),
    etag: '"1"',
    bend: null,
    requests: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return files;
}

/** As RFC 9110 has ranges and If-Range. */
function serve({ body, etag }: FileServer, { headers }: IncomingMessage, response: ServerResponse): void {
  if (etag !== null) response.setHeader('etag', etag);
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  if (from === undefined || !isSame) {
    response.writeHead(200, { 'content-length': body.length }).end(body);
    return;
  }
  const end = to === '' ? body.length : Math.min(body.length, Number(to) + 1);
  if (Number(from) >= body.length) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  const range = `bytes ${from}-${end - 1}/${body.length}`;
  const part = body.subarray(Number(from), end);
  response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part);
}

/** Sends so many bytes of the whole file, then breaks the connection off, or falls silent. */
export function cutAt(
  { body, etag }: FileServer,
  response: ServerResponse,
  bytes: number,
  then: 'break off' | 'fall silent' = 'break off',
): true {
  if (etag !== null) response.setHeader('etag', etag);
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, bytes), () => void (then === 'break off' && response.destroy()));
  return true;
}
