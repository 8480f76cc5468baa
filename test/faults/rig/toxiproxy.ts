/** Links that can be slowed, cut or silenced while both ends live: toxiproxy (github.com/Shopify/toxiproxy). */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildWithGo, onPath } from '../../../src/embedded/go-build.ts';
import { freePort } from '../../../src/embedded/ports.ts';
import { cacheDir } from '../../../src/embedded/temporal-binary.ts';
import { signalProcess } from '../../../src/runner/process/process-stat.ts';

const VERSION = 'v2.12.0';

export type Link = {
  /** host:port of the server. */
  readonly address: string;
  readonly port: number;
  /** The server behind it has moved. */
  pointTo(upstream: string): Promise<void>;
  /** Drops everything that the server sends back; the first byte cuts the connection. */
  cutAnswers(): Promise<void>;
  /** Passes nothing in either direction; connections stay open. */
  deafen(): Promise<void>;
  /** Delays everything that the server sends back. */
  delay(ms: number): Promise<void>;
  /** Cuts every connection and refuses new ones, until `heal`. */
  refuse(): Promise<void>;
  /** Restores the link. */
  heal(): Promise<void>;
};

export type Toxiproxy = AsyncDisposable & { link(name: string, upstream: string): Promise<Link> };

export async function startToxiproxy(dir: string, say: (line: string) => void): Promise<Toxiproxy> {
  const program = await toxiproxyBinary(say);
  const port = await freePort();
  const log = openSync(path.join(dir, 'toxiproxy.log'), 'a');
  // It ends when this process does, even by SIGKILL.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, '-port', String(port)], {
    stdio: ['ignore', log, log],
    env: { LOG_LEVEL: 'warn', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  });
  closeSync(log);
  const api = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 10_000;
  while (
    !(await fetch(`${api}/version`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null)
      throw new Error(`toxiproxy did not start: ${dir}/toxiproxy.log`);
    await wait(25);
  }
  return {
    link: (name, upstream) => createLink(api, name, upstream),
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined) signalProcess(child.pid, 'SIGKILL');
    },
  };
}

async function createLink(api: string, name: string, upstream: string): Promise<Link> {
  const { listen } = (await ask(api, 'POST', '/proxies', {
    name,
    listen: '127.0.0.1:0',
    upstream,
    enabled: true,
  })) as { listen: string };
  const proxy = `/proxies/${name}`;
  const toxic = (type: string, stream: 'upstream' | 'downstream', attributes: object) =>
    ask(api, 'POST', `${proxy}/toxics`, { name: `${type}-${stream}`, type, stream, attributes });
  return {
    address: listen,
    port: Number(listen.split(':')[1]),
    pointTo: async (to) => void (await ask(api, 'POST', proxy, { upstream: to })),
    cutAnswers: async () => void (await toxic('limit_data', 'downstream', { bytes: 0 })),
    async deafen() {
      await toxic('timeout', 'upstream', { timeout: 0 });
      await toxic('timeout', 'downstream', { timeout: 0 });
    },
    delay: async (latency) => void (await toxic('latency', 'downstream', { latency })),
    refuse: async () => void (await ask(api, 'POST', proxy, { enabled: false })),
    async heal() {
      const { toxics, enabled } = (await ask(api, 'GET', proxy)) as {
        toxics: { name: string }[];
        enabled: boolean;
      };
      for (const { name: of } of toxics) await ask(api, 'DELETE', `${proxy}/toxics/${of}`);
      if (!enabled) await ask(api, 'POST', proxy, { enabled: true });
    },
  };
}

async function ask(api: string, method: string, route: string, body?: object): Promise<unknown> {
  const answer = await fetch(api + route, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`toxiproxy: ${method} ${route}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function toxiproxyBinary(say: (line: string) => void): Promise<string> {
  const bin = path.join(cacheDir(), 'bin');
  const name = `toxiproxy-${VERSION}`;
  if (existsSync(path.join(bin, name))) return path.join(bin, name);
  const go = onPath('go');
  if (go === undefined)
    throw new Error('building toxiproxy needs Go on PATH: install Go 1.26 or later from https://go.dev/dl');
  const module = `github.com/Shopify/toxiproxy/v2/cmd/server@${VERSION}`;
  return buildWithGo({
    go,
    bin,
    name,
    builtAs: 'server',
    goArguments: () => ['install', module],
    label: `go install ${module}`,
    usually: '20 s',
    onProgress: say,
  });
}
