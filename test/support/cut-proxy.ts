/**
 * A proxy in front of an apiserver that loses answers: it passes the request on, the apiserver acts, and the caller
 * never hears of it. It serves with the apiserver's own certificate, so that callers need not trust another one.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createClient, type KubernetesClient } from '../../src/runner/kubernetes/apiserver/client.ts';
import type { ProvidedCluster } from './cluster-setup.ts';
import { connectAsAdmin } from './connect-kubernetes.ts';

export type CutProxy = AsyncDisposable & {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** The administrator's kubeconfig, through the proxy. */
  readonly client: KubernetesClient;
  /** Answers lost so far. */
  readonly lost: number;
  /** Loses the next answer to this method: cuts the connection for all that follows, or answers 502 instead. */
  loseNext(method: 'GET' | 'POST' | 'DELETE', how?: Loss): void;
  /** Cuts every open answer, such as a watch or a followed log; returns how many there were. */
  cutAll(): number;
  /** Ends every open answer as if it were complete, as a followed log ends when the node rotates it. */
  endAll(): number;
  /** Ends the next answer of this path after so many bytes, as if it were complete. */
  endNext(path: string, bytes: number): void;
  /** Cuts open answers and refuses connections until `open`. */
  refuse(): void;
  open(): void;
  /**
   * From now on answers every second request, at random, with one of these and does not pass it on; an empty list
   * stops that.
   */
  trouble(statuses: readonly number[]): void;
  /** Requests refused that way. */
  readonly troubled: number;
};

export type Loss = 'cut' | 'cut and refuse' | 502;

export async function startCutProxy(cluster: ProvidedCluster, namespace: string): Promise<CutProxy> {
  const cert = readFileSync(cluster.caFile);
  const key = readFileSync(path.join(path.dirname(cluster.caFile), 'apiserver.key'));
  const upstream = new Agent({ ca: cert, keepAlive: true });
  const underWay = new Set<ServerResponse>();
  const toLose: { method: string; how: Loss }[] = [];
  const toEnd: { path: string; bytes: number }[] = [];
  let refusing = false;
  let lost = 0;
  let troubles: readonly number[] = [];
  let troubled = 0;

  const proxy = createServer({ cert, key }, (asked: IncomingMessage, answer: ServerResponse) => {
    if (refusing) {
      asked.socket.destroy();
      return;
    }
    const trouble = troubles[Math.floor(Math.random() * 2 * troubles.length)];
    if (trouble !== undefined) {
      troubled += 1;
      asked.resume();
      answer.writeHead(trouble, trouble === 429 ? { 'retry-after': '1' } : {}).end('in trouble');
      return;
    }
    underWay.add(answer);
    const { method, url, headers } = asked;
    const passed = request(cluster.server + (url ?? ''), { method, headers, agent: upstream }, (real) => {
      const at = toLose.findIndex((of) => of.method === method);
      const [loss] = at < 0 ? [] : toLose.splice(at, 1);
      if (loss) {
        lost += 1;
        real.resume();
        if (loss.how === 'cut and refuse') refuse();
        if (loss.how === 502) answer.writeHead(502).end('lost');
        else asked.socket.destroy();
        return;
      }
      answer.writeHead(real.statusCode ?? 502, real.headers);
      answer.flushHeaders();
      real.on('error', () => asked.socket.destroy());
      const short = toEnd.findIndex((of) => url?.includes(of.path));
      let left = short < 0 ? Infinity : (toEnd.splice(short, 1)[0]?.bytes ?? 0);
      real.on('data', (bytes: Buffer) => {
        if (answer.writableEnded) return;
        answer.write(bytes.subarray(0, Math.min(left, bytes.length)));
        left -= bytes.length;
        if (left <= 0) answer.end();
      });
      real.on('end', () => answer.end());
    });
    passed.on('error', () => asked.socket.destroy());
    asked.pipe(passed);
    answer.on('close', () => {
      underWay.delete(answer);
      passed.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  function refuse() {
    refusing = true;
    cutAll();
  }
  function cutAll() {
    const count = underWay.size;
    for (const answer of underWay) answer.socket?.destroy();
    return count;
  }
  const { port } = proxy.address() as AddressInfo;
  const connection = connectAsAdmin(cluster, namespace, port);
  return {
    port,
    client: createClient(connection),
    get lost() {
      return lost;
    },
    loseNext: (method, how = 'cut') => void toLose.push({ method, how }),
    cutAll,
    endAll() {
      const begun = [...underWay].filter(({ headersSent }) => headersSent);
      for (const answer of begun) answer.end();
      return begun.length;
    },
    endNext: (path, bytes) => void toEnd.push({ path, bytes }),
    refuse,
    open() {
      refusing = false;
    },
    trouble(statuses) {
      troubles = statuses;
    },
    get troubled() {
      return troubled;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      proxy.closeAllConnections();
      proxy.close();
      upstream.destroy();
    },
  };
}
