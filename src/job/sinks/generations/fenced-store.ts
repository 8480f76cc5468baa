/** The state of an alias, which only the run that holds the fence changes, by compare-and-set. */
import type { Writer } from '../writer.ts';
import { fenced } from './fence.ts';
import type { Fence, Owner } from './state-parts.ts';

export type FencedStore<S> = {
  /** Reads the newest state without checking the fence. */
  look(): Promise<S>;
  /** Takes the fence. @throws JobError `fenced`, `sinkOwned` */
  takeFence(): Promise<S>;
  /** Reads the newest state. @throws JobError `fenced` if another run has opened the sink since */
  read(): Promise<S>;
  /**
   * Replaces the state with `next(state)`; calls `next` again after a concurrent change.
   * @param options.durable the change must survive a crash of the sink's machine
   * @throws JobError `fenced`, and the errors of `next`
   */
  change(next: (state: S) => S, options?: { durable: boolean }): Promise<S>;
};

export type Stored<S, V> = { readonly state: S; readonly version: V };

export type StateMedium<S, V> = {
  readonly read: () => Promise<Stored<S, V>>;
  /** Null after a concurrent change. */
  readonly write: (next: S, version: V, options: { durable: boolean }) => Promise<Stored<S, V> | null>;
};

const TRIES = 10;

/**
 * @param of.take the state after this run took the fence @throws what `take` throws
 * @param of.settle completes each change
 */
export function createFencedStore<S extends { owner: Owner | null; fence: Fence }, V>(
  { read, write }: StateMedium<S, V>,
  of: {
    alias: string;
    writer: Writer;
    take: (state: S) => S;
    settle: (before: S, after: S) => S;
  },
): FencedStore<S> {
  // Caches only our last write, which is nearly always current; the compare-and-set detects when it is not. Reads are
  // not cached: of two concurrent batches, one may have read a state that the other has replaced since.
  let known: Stored<S, V> | null = null;

  const refuseOther = ({ fence }: S): void => {
    if (fence.run !== of.writer.run) throw fenced(of.alias, 'a newer run has opened it');
  };

  async function compareAndSet(next: (state: S) => S, durable: boolean): Promise<S> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      known ??= await read();
      const wanted = next(known.state);
      known = await write(wanted, known.version, { durable });
      if (known) return wanted;
    }
    throw fenced(of.alias, 'other runs keep writing to it');
  }

  return {
    look: async () => (await read()).state,
    takeFence() {
      known = null;
      return compareAndSet(of.take, true);
    },
    async read() {
      const { state } = await read();
      refuseOther(state);
      return state;
    },
    change: (next, { durable } = { durable: false }) =>
      compareAndSet((state) => {
        refuseOther(state);
        return of.settle(state, next(state));
      }, durable),
  };
}
