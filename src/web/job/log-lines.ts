/** Holds a log as the lines that a terminal would show, however its chunks are cut; works with 100,000 lines. */
import { type Line, TerminalLine } from './terminal-line.ts';

export class LogLines {
  /** A line without colours is stored as a plain string, to save memory. */
  readonly #lines: (string | Line)[] = [];
  /** The last line, until its line break arrives. */
  readonly #open = new TerminalLine();
  #end = 0;

  /** Offset in bytes of the next chunk. */
  get end(): number {
    return this.#end;
  }

  /** Ignores a chunk that it has already added. */
  add({ offset, end, text }: { offset: number; end: number; text: string }): void {
    if (offset < this.#end) return;
    this.#end = end;
    const parts = text.split('\n');
    const open = parts.pop() ?? '';
    for (const part of parts) {
      this.#open.write(part);
      const line = this.#open.end();
      this.#lines.push(line.looks === '' ? line.text : line);
    }
    this.#open.write(open);
  }

  get count(): number {
    return this.#lines.length + (this.#open.isEmpty ? 0 : 1);
  }

  line(index: number): Line {
    const line = this.#lines[index] ?? this.#open.line;
    return typeof line === 'string' ? { text: line, looks: '' } : line;
  }

  at(index: number): string {
    return this.line(index).text;
  }

  /** Indexes of the lines that contain a text, ignoring case. */
  search(text: string): number[] {
    const wanted = text.toLowerCase();
    const found: number[] = [];
    const { count } = this;
    for (let at = 0; at < count; at += 1) if (this.at(at).toLowerCase().includes(wanted)) found.push(at);
    return found;
  }
}
