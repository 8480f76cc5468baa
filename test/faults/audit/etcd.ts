/**
 * The history in Kubernetes' own store: every version of every object, in the order of the writes. A killed
 * apiserver loses nothing of it. Needs an apiserver that stores JSON and compacts nothing (rig.ts). Protocol:
 * etcd's JSON gateway, https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

export type Write = {
  /** Grows with every write to the store, of any object. */
  readonly revision: number;
  readonly key: string;
  /** Undefined if the object was removed. */
  readonly object: unknown;
};

const CLOCK = '/syncrator-faults/clock';
const END = '/syncrator-faults/end';
const CALL_MS = 30_000;

export type Etcd = {
  /** Writes the time into the store again and again, so that every revision can be dated later. */
  keepTime(everyMs: number): Disposable;
  /** Every write to keys with one of these prefixes. */
  history(prefixes: readonly string[]): Promise<{ writes: Write[]; clock: Clock }>;
};

/** The time of a revision: not before `from`, not after `to`, in milliseconds since 1970. */
export type Clock = (revision: number) => { readonly from: number; readonly to: number };

type Tick = { revision: number; before: number; after: number };

export function openEtcd(url: string): Etcd {
  const ticks: Tick[] = [];

  async function tick(): Promise<void> {
    const before = Date.now();
    const revision = await put(CLOCK);
    ticks.push({ revision, before, after: Date.now() });
  }

  /** @returns the revision of the write */
  async function put(key: string): Promise<number> {
    const answer = await ask('/v3/kv/put', { key: encode(key), value: encode('') });
    return Number((answer as { header: { revision: string } }).header.revision);
  }

  async function ask(route: string, body: object): Promise<unknown> {
    const answer = await fetch(url + route, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_MS),
    });
    if (!answer.ok) throw new Error(`etcd: ${route}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  return {
    keepTime(everyMs) {
      let running = false;
      const timer = setInterval(() => {
        if (running) return;
        running = true;
        void tick()
          .catch(() => undefined) // a program pauses etcd: the ticks before and after date what lies between
          .finally(() => {
            running = false;
          });
      }, everyMs);
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
    async history(prefixes) {
      await tick();
      const last = await put(END);
      const writes: Write[] = [];
      for await (const write of everything(url, prefixes)) {
        if (write.revision >= last) break;
        writes.push(write);
      }
      return { writes, clock: clockOf(ticks) };
    },
  };
}

/** Watches the whole store from its first revision, and yields the wanted events and the end; never ends by itself. */
async function* everything(url: string, prefixes: readonly string[]): AsyncGenerator<Write> {
  const all = { key: 'AA==', range_end: 'AA==', start_revision: '1' }; // from NUL to NUL: every key
  const answer = await fetch(`${url}/v3/watch`, {
    method: 'POST',
    body: JSON.stringify({ create_request: all }),
  });
  if (!answer.body) throw new Error('etcd: the watch has no body');
  const input = Readable.fromWeb(answer.body);
  try {
    for await (const line of createInterface({ input })) {
      const { result, error } = JSON.parse(line) as { result?: WatchResult; error?: object };
      if (!result || result.canceled === true) throw new Error(`etcd: ${JSON.stringify(error ?? result)}`);
      for (const { type, kv } of result.events ?? []) {
        const key = decode(kv.key);
        if (key !== END && !prefixes.some((prefix) => key.startsWith(prefix))) continue;
        const stored = type === 'DELETE' ? '' : decode(kv.value ?? '');
        const object: unknown = stored.startsWith('{') ? JSON.parse(stored) : undefined;
        yield { revision: Number(kv.mod_revision), key, object };
      }
    }
  } finally {
    input.destroy();
  }
}

type WatchResult = {
  canceled?: boolean;
  events?: { type?: 'DELETE'; kv: { key: string; value?: string; mod_revision: string } }[];
};

function clockOf(ticks: readonly Tick[]): Clock {
  const sorted = ticks.toSorted((a, b) => a.revision - b.revision);
  return (revision) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.revision ?? 0) < revision) low = middle + 1;
      else high = middle;
    }
    return { from: sorted[low - 1]?.before ?? 0, to: sorted[low]?.after ?? Number.MAX_SAFE_INTEGER };
  };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
