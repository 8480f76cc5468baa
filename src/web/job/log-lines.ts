/** A log as lines, however its chunks are cut; a hundred thousand of them at once. */

export class LogLines {
  readonly #lines: string[] = [];
  /** The last line, while its end has not come. */
  #open = '';
  #end = 0;

  /** In bytes: where what comes next begins. */
  get end(): number {
    return this.#end;
  }

  /** A chunk that came before is left out. */
  add({ offset, end, text }: { offset: number; end: number; text: string }): void {
    if (offset < this.#end) return;
    this.#end = end;
    const parts = (this.#open + text).split('\n');
    this.#open = parts.pop() ?? '';
    for (const part of parts) this.#lines.push(part.endsWith('\r') ? part.slice(0, -1) : part);
  }

  get count(): number {
    return this.#lines.length + (this.#open === '' ? 0 : 1);
  }

  at(index: number): string {
    return this.#lines[index] ?? this.#open;
  }

  /** The numbers of the lines that contain a text, whatever the case. */
  search(text: string): number[] {
    const wanted = text.toLowerCase();
    const found: number[] = [];
    for (let at = 0; at < this.count; at += 1) if (this.at(at).toLowerCase().includes(wanted)) found.push(at);
    return found;
  }
}
