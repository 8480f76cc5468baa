/**
 * Lists one resource, watches it from there, and lists again after every error, until the signal aborts. The client
 * library's informer is not used: it stops for good on a connection reset or a 500.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesClient } from './client.ts';
import { isExpired } from './errors.ts';
import type { Job, List, Pod } from './types.ts';

export type ListWatch<T extends Job | Pod> = {
  /** Objects by uid, as the apiserver last reported them while `healthy`. */
  readonly objects: ReadonlyMap<string, T>;
  /** True from the first list until an error, also between two watches. */
  healthy(): boolean;
  /** Stores an object read elsewhere, unless a newer version is stored. */
  put(object: T): void;
  drop(uid: string): void;
};

export type ListWatchOptions<T extends Job | Pod> = {
  readonly client: KubernetesClient;
  readonly resource: 'jobs' | 'pods';
  readonly selector: string;
  readonly list: () => Promise<List<T>>;
  /** Drops unneeded fields of an object to save memory. */
  readonly trim: (object: T) => T;
  readonly onChange: (object: T) => void;
  /** Called with the first error of each series of errors. */
  readonly onTrouble: (error: unknown) => void;
  readonly signal: AbortSignal;
};

/** Interval of full lists; they find events that a seemingly healthy watch lost. */
const RELIST_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export function startListWatch<T extends Job | Pod>(options: ListWatchOptions<T>): ListWatch<T> {
  const objects = new Map<string, T>();
  let healthy = false;
  void run();
  return { objects, healthy: () => healthy, put, drop: (uid) => void objects.delete(uid) };

  async function run(): Promise<void> {
    const { signal } = options;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
      try {
        await listAndWatch(() => {
          pauseMs = FIRST_PAUSE_MS;
        });
      } catch (error) {
        if (signal.aborted) return;
        healthy = false;
        if (isExpired(error)) continue;
        if (pauseMs === FIRST_PAUSE_MS) options.onTrouble(error);
        await wait(pauseMs / 2 + Math.random() * pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  async function listAndWatch(onListed: () => void): Promise<void> {
    const { client, resource, selector, signal } = options;
    const list = await options.list();
    replaceAll(list.items);
    healthy = true;
    onListed();
    const until = Date.now() + RELIST_MS;
    let version = list.metadata.resourceVersion;
    while (Date.now() < until && !signal.aborted) {
      for await (const event of client.watch<T>(resource, selector, version, signal)) {
        version = event.object.metadata.resourceVersion;
        if (event.type === 'BOOKMARK') continue;
        const { uid } = event.object.metadata;
        if (event.type === 'DELETED') objects.delete(uid);
        else put(event.object);
        options.onChange(event.object);
      }
    }
  }

  function replaceAll(items: readonly T[]): void {
    const before = new Map(objects);
    objects.clear();
    for (const item of items) objects.set(item.metadata.uid, options.trim(item));
    for (const item of items) {
      const known = before.get(item.metadata.uid);
      before.delete(item.metadata.uid);
      if (known?.metadata.resourceVersion !== item.metadata.resourceVersion) options.onChange(item);
    }
    for (const gone of before.values()) options.onChange(gone);
  }

  function put(object: T): void {
    const known = objects.get(object.metadata.uid);
    if (known && isNewer(known, object)) return;
    objects.set(object.metadata.uid, options.trim(object));
  }
}

/** Resource versions are comparable as integers: https://kep.k8s.io/5504 */
function isNewer(a: Job | Pod, b: Job | Pod): boolean {
  return BigInt(a.metadata.resourceVersion) > BigInt(b.metadata.resourceVersion);
}
