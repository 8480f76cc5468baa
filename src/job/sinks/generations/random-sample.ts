/** A uniform random sample of a stream of ids (reservoir sampling: Vitter 1985, algorithm R). Pure. */
const SAMPLE_SIZE = 100;

export class RandomSample {
  #seen = 0;
  readonly #kept: string[] = [];

  offer(id: string): void {
    this.#seen += 1;
    const place =
      this.#kept.length < SAMPLE_SIZE ? this.#kept.length : Math.floor(Math.random() * this.#seen);
    if (place < SAMPLE_SIZE) this.#kept[place] = id;
  }

  ids(): readonly string[] {
    return this.#kept;
  }
}
