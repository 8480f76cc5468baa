/** A server of records that answers byte by byte as a lie demands, without a framework in between. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Answer, Ask, HttpTold, Line } from './lie.ts';
import type { Mode } from './model.ts';
import { byBytes } from './story.ts';

/** The answers from now on. */
export type Telling = {
  readonly lines: (mode: Mode) => readonly Line[];
  /** Ids that exist when they are requested again. */
  readonly answering: readonly Line[];
  readonly http: HttpTold | undefined;
  readonly chosen: number;
};

export type HttpSource = {
  readonly url: string;
  tell(telling: Telling): void;
  close(): Promise<void>;
};

const PAGES = 4;

export async function startHttpSource(): Promise<HttpSource> {
  const sockets = new Set<Socket>();
  let telling: Telling | undefined;
  let counts = { survey: 0, listing: 0, asked: 0 };
  const elsewhere = await startElsewhere(() => telling);
  const server = createServer((request) => {
    if (!telling) return request.socket.destroy();
    const ask = askOf(request, telling, counts, elsewhere.url);
    counts[ask.kind] += 1;
    const answer = honestAnswer(ask, request);
    telling.http?.(answer, ask);
    write(request.socket, answer, ask.mode);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/records`,
    tell(next) {
      telling = next;
      counts = { survey: 0, listing: 0, asked: 0 };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await elsewhere.close();
    },
  };
}

function askOf(
  request: IncomingMessage,
  { lines, answering, chosen }: Telling,
  counts: Record<Ask['kind'], number>,
  elsewhere: string,
): Ask {
  const url = new URL(request.url ?? '/', 'http://here');
  const query = url.searchParams;
  const since = query.get('updated_since');
  const kind = query.get('limit') === '1' ? 'survey' : query.get('limit') === '100' ? 'asked' : 'listing';
  const mode: Mode =
    since !== null ? 'changes' : query.get('fields') === 'id' && kind !== 'survey' ? 'ids' : 'everything';
  const everything = kind === 'asked' ? answering : lines(mode);
  return {
    kind,
    mode,
    after: query.get('after'),
    nth: counts[kind],
    chosen,
    lines: since === null ? everything : everything.filter(({ row }) => isSince(row.updated_at, since)),
    everything,
    redirected: url.pathname === '/moved',
    elsewhere,
  };
}

function isSince(at: string, since: string): boolean {
  return !(Date.parse(at) < Date.parse(since));
}

function honestAnswer({ kind, lines, after }: Ask, { url }: IncomingMessage): Answer {
  const left = after === null ? lines : lines.slice(placeAfter(lines, after));
  const size =
    kind === 'listing'
      ? Math.ceil(lines.length / PAGES)
      : Number(new URL(url ?? '/', 'http://x').searchParams.get('limit'));
  const page = left.slice(0, size);
  return {
    status: 200,
    headers: { 'content-type': 'application/x-ndjson', date: new Date().toUTCString() },
    lines: page,
    more: page.length < left.length,
    total: String(lines.length),
    body: undefined,
    pack: undefined,
    frame: 'length',
    longer: 0,
    cut: undefined,
    instead: undefined,
  };
}

/** Also for a listing without order. */
function placeAfter(lines: readonly Line[], after: string): number {
  const last = lines.findLastIndex(({ row }) => row.id === after);
  if (last >= 0) return last + 1;
  const next = lines.findIndex(({ row }) => byBytes(row.id, after) > 0);
  return next < 0 ? lines.length : next;
}

function write(socket: Socket, answer: Answer, mode: Mode): void {
  if (answer.instead === 'reset') return void socket.resetAndDestroy();
  if (answer.instead === 'silence') return;
  const lines = answer.lines.flatMap(({ text, idText }) => [mode === 'ids' ? idText : text, '\n']);
  const plain = answer.body ?? Buffer.concat(lines.map((piece) => Buffer.from(piece as string)));
  const body = answer.pack ? answer.pack(plain) : plain;
  const headers = { ...answer.headers, connection: 'close' } as Record<string, string | undefined>;
  if (answer.total !== undefined) headers['x-total-count'] = answer.total;
  if (answer.more) headers['link'] = '</records?after=x>; rel="next"';
  if (answer.frame === 'length') headers['content-length'] = String(Math.max(0, body.length + answer.longer));
  if (answer.frame === 'chunked') headers['transfer-encoding'] = 'chunked';
  const head = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  const sent = answer.cut ? body.subarray(0, answer.cut.at(body)) : body;
  const framed = answer.frame === 'chunked' ? inChunks(sent, answer.cut === undefined) : sent;
  socket.write(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status} Told\r\n${head.join('')}\r\n`), framed]),
    () => {
      if (answer.cut?.and === 'silence') return;
      // An immediate reset would discard what was sent.
      if (answer.cut?.and === 'reset') setImmediate(() => socket.resetAndDestroy());
      else socket.end();
    },
  );
}

function inChunks(body: Buffer, isWhole: boolean): Buffer {
  const last = isWhole ? '0\r\n\r\n' : '';
  if (body.length === 0) return Buffer.from(last);
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from(`\r\n${last}`)]);
}

/** Another origin with plausible answers: a program that follows the redirect would believe them. */
async function startElsewhere(
  told: () => Telling | undefined,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((_, response) => {
    const lines = told()?.lines('everything').slice(0, -3) ?? [];
    const body = lines.map(({ text }) => `${String(text)}\n`).join('');
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'x-total-count': lines.length,
      connection: 'close',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}
