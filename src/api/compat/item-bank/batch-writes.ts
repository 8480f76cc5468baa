/** Joins concurrent writes of one row: items that arrive during a write go together into the next. */

export class BatchWrites {
  readonly #write: (items: readonly string[]) => Promise<void>;
  #next: { readonly items: Set<string>; readonly written: Promise<void> } | null = null;
  #last: Promise<void> = Promise.resolve();

  /** @param write one at a time */
  constructor(write: (items: readonly string[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves once the item is written. @throws what its write throws */
  add(item: string): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.items.add(item);
    return this.#next.written;
  }

  #begin() {
    const items = new Set<string>();
    const write = async () => {
      this.#next = null;
      await this.#write([...items]);
    };
    // A failure of the previous write is reported to its own callers.
    const written = this.#last.then(write, write);
    this.#last = written;
    return { items, written };
  }
}
