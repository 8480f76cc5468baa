/**
 * One list-and-watch of one resource, kept going for ever: list, watch from there, and after any trouble list again.
 * The library's informer is not used: it stops for good on a reset or a 500 (faults.md row 23).
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { KubernetesClient } from './client.ts';
import { isExpired } from './errors.ts';
import type { Job, List, Pod } from './objects.ts';

export type Mirror<T extends Job | Pod> = {
  /** By uid. What it holds is what the apiserver said last, as long as `healthy`. */
  readonly objects: ReadonlyMap<string, T>;
  /** Between two watches too, as long as nothing has failed. */
  healthy(): boolean;
  /** An object read elsewhere; ignored if the mirror has a newer one. */
  put(object: T): void;
  drop(uid: string): void;
};

export type MirrorOptions<T extends Job | Pod> = {
  readonly client: KubernetesClient;
  readonly resource: 'jobs' | 'pods';
  readonly selector: string;
  readonly list: () => Promise<List<T>>;
  /** Keeps memory small: what is not needed of an object is left out. */
  readonly trim: (object: T) => T;
  readonly onChange: (object: T) => void;
  /** Called once each time it gets into trouble. */
  readonly onTrouble: (error: unknown) => void;
  readonly signal: AbortSignal;
};

/** Lost events of a watch that looks healthy are found by this. */
const RELIST_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export function startMirror<T extends Job | Pod>(options: MirrorOptions<T>): Mirror<T> {
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
