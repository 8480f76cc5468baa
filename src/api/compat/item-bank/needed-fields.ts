/** Filters a large JSON object as it arrives: keeps the values of the needed fields, replaces all others by null. */

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const OPENING: readonly number[] = [0x7b, 0x5b];
const CLOSING: readonly number[] = [0x7d, 0x5d];
const NULL = new TextEncoder().encode('null');

export class NeededFields {
  readonly #names: ReadonlySet<string>;
  #kept = new Uint8Array(4096);
  #size = 0;
  /** Offset of the current member in the kept bytes. */
  #member = 0;
  /** The current part of that member: its name, a value to keep, or a value to skip. */
  #reading: 'name' | 'value' | 'skipped' = 'name';
  #depth = 0;
  #inText = false;
  #escaped = false;

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Reads a chunk. @returns the bytes kept so far */
  push(chunk: Uint8Array): number {
    for (const byte of chunk) {
      if (this.#inText) this.#readText(byte);
      else this.#readPlain(byte);
    }
    return this.#size;
  }

  /** The object with null for each other value; invalid outside of those values if the body is. */
  bytes(): Uint8Array {
    return this.#kept.subarray(0, this.#size);
  }

  #readText(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }

  #readPlain(byte: number): void {
    if (CLOSING.includes(byte)) this.#depth -= 1;
    const endsMember = byte === COMMA ? this.#depth === 1 : CLOSING.includes(byte) && this.#depth === 0;
    if (endsMember) this.#reading = 'name';
    this.#keep(byte);
    if (byte === QUOTE) this.#inText = true;
    if (OPENING.includes(byte)) this.#depth += 1;
    if (endsMember || (OPENING.includes(byte) && this.#depth === 1)) this.#member = this.#size;
    if (byte === COLON && this.#depth === 1 && this.#reading === 'name') this.#beginValue();
  }

  #beginValue(): void {
    const isNeeded = this.#names.has(this.#name());
    if (!isNeeded) for (const byte of NULL) this.#keep(byte);
    this.#reading = isNeeded ? 'value' : 'skipped';
  }

  #name(): string {
    const text = new TextDecoder().decode(this.#kept.subarray(this.#member, this.#size - 1));
    try {
      return String(JSON.parse(text));
    } catch {
      return ''; // not a name: parsing the result will fail
    }
  }

  #keep(byte: number): void {
    if (this.#reading === 'skipped') return;
    if (this.#size === this.#kept.length) {
      const larger = new Uint8Array(this.#size * 2);
      larger.set(this.#kept);
      this.#kept = larger;
    }
    this.#kept[this.#size] = byte;
    this.#size += 1;
  }
}
