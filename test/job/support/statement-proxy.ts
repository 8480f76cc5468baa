/**
 * A proxy between a program and Postgres that parses the wire protocol far enough to count statements. It cuts the
 * connection at a chosen statement: before the server receives it, or after the server's answer and before the program
 * receives that (a lost answer to COMMIT).
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Cut = {
  /** The statement, counted from 1 over all connections. */
  readonly at: number;
  readonly when: 'before' | 'after';
  /** `program`: cuts all connections, as if the program were killed; `connection`: cuts only this one. */
  readonly ends: 'program' | 'connection';
};

export type StatementProxy = AsyncDisposable & {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** The first characters of all statements so far, in order. */
  readonly statements: readonly string[];
  /** True once it has cut. */
  readonly cut: boolean;
};

/** Messages that request an answer: each is a statement or ends one. */
const ASKS = new Set(['Q', 'S', 'c', 'f']);
/** Messages buffered until Sync: a statement with parameters. */
const GATHERED = new Set(['P', 'B', 'D', 'E', 'C', 'H']);
/** Messages that end an answer: ready for the next query, or for COPY data. */
const ENDS = new Set(['Z', 'G']);

/** @param of.onStatement called with the number of each statement before it is passed on */
export async function startStatementProxy(of: {
  url: string;
  cut?: Cut | null;
  onCut?: () => void;
  onStatement?: (number: number) => void;
}): Promise<StatementProxy> {
  const target = new URL(of.url);
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  let cut = false;

  function cutAt(pair: readonly Socket[]): void {
    cut = true;
    of.onCut?.();
    for (const socket of of.cut?.ends === 'program' ? sockets : pair) socket.destroy();
  }

  const server = createServer((program) => {
    if (cut && of.cut?.ends === 'program') {
      program.destroy();
      return;
    }
    const database = connect(Number(target.port), target.hostname);
    const pair = [program, database];
    for (const socket of pair) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // An error on one side closes the other, so the session of a killed program ends with its connection.
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
    const asked = new Messages({ untyped: 1 });
    const held = new Messages({ untyped: 0 });
    let unit: Buffer[] = [];
    let holding = false;

    program.on('data', (chunk: Buffer) => {
      for (const { type, bytes } of asked.take(chunk)) {
        if (GATHERED.has(type) || ASKS.has(type)) unit.push(bytes);
        if (GATHERED.has(type)) continue;
        if (!ASKS.has(type)) {
          database.write(bytes);
          continue;
        }
        statements.push(textOf(unit));
        of.onStatement?.(statements.length);
        const when = statements.length === of.cut?.at ? of.cut.when : null;
        if (when === 'before') return cutAt(pair);
        holding = when === 'after';
        database.write(Buffer.concat(unit));
        unit = [];
      }
    });
    database.on('data', (chunk: Buffer) => {
      if (!holding) program.write(chunk);
      else if (held.take(chunk).some(({ type }) => ENDS.has(type))) cutAt(pair);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(of.url);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    statements,
    get cut() {
      return cut;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type Message = { readonly type: string; readonly bytes: Buffer };

/** Assembles messages from chunks. */
class Messages {
  #rest: Buffer = Buffer.alloc(0);
  /** Number of leading messages without a type byte: a session begins with one. */
  #untyped: number;

  constructor({ untyped }: { untyped: number }) {
    this.#untyped = untyped;
  }

  take(chunk: Buffer): Message[] {
    const messages: Message[] = [];
    let rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const lengthAt = this.#untyped > 0 ? 0 : 1;
      if (rest.length < lengthAt + 4) break;
      const end = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < end) break;
      const type = lengthAt === 0 ? '' : String.fromCodePoint(rest[0] ?? 0);
      messages.push({ type, bytes: rest.subarray(0, end) });
      rest = rest.subarray(end);
      this.#untyped = Math.max(0, this.#untyped - 1);
    }
    this.#rest = rest;
    return messages;
  }
}

function textOf(unit: readonly Buffer[]): string {
  const first = unit[0] ?? Buffer.alloc(0);
  const type = String.fromCodePoint(first[0] ?? 0);
  if (type === 'c') return 'end of COPY';
  if (type !== 'Q' && type !== 'P') return 'a statement prepared before';
  const strings = first.subarray(5).toString().split('\0');
  const text = (type === 'Q' ? strings[0] : strings[1]) ?? '';
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 80);
}
