/** Sends one hostile request over a socket and judges how it ended. */
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Hostile } from './hostile.ts';

/** @returns what was wrong with its end; undefined if nothing was */
export async function send(port: number, hostile: Hostile): Promise<string | undefined> {
  const began = performance.now();
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  let refused: NodeJS.ErrnoException | undefined;
  socket.on('data', (data) => {
    if (answer.length < 1_000_000) answer += data.toString('latin1');
  });
  // The other side may cut a connection while we write to it: that is an end like any other.
  socket.on('error', (error) => (refused = error));
  const ended = Promise.race([
    new Promise((resolve) => socket.once('end', resolve)),
    new Promise((resolve) => socket.once('close', resolve)),
  ]).then(() => 'ended' as const);
  const late = new AbortController();
  const expired = wait(hostile.withinSeconds * 1_000, 'late' as const, { signal: late.signal });
  const writing = write(socket, hostile, () => answer !== '' || refused !== undefined);
  try {
    const how = await Promise.race([ended, expired]);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const of = (what: string) => `${hostile.name}: ${what} after ${seconds} s: ${answer.slice(0, 300)}`;
    if (refused?.code === 'ECONNREFUSED') return of('nobody listens');
    const answers = statusesOf(answer);
    const wrong = answers.find((status) => !hostile.statuses.includes(status));
    if (wrong !== undefined) return of(`answered ${wrong}, not ${hostile.statuses.join(' or ')}`);
    // An answer is an end, even if the connection stays open for the next request.
    if (how === 'late' && answers.length === 0) return of('neither answered nor cut');
    return undefined;
  } finally {
    late.abort();
    await expired.catch(() => undefined);
    socket.destroy();
    await writing;
  }
}

async function write(socket: net.Socket, hostile: Hostile, over: () => boolean): Promise<void> {
  for (const part of hostile.parts()) {
    if (socket.destroyed || over()) return;
    if (typeof part === 'number') await wait(part);
    else if (!socket.write(part)) await Promise.race([drained(socket), wait(1_000)]);
  }
  if (hostile.halfClose) socket.end();
}

function drained(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });
}

function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
}
