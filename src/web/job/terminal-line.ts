/**
 * Renders one line as a terminal would: colours, `\r`, erasing and overwriting. Drops sequences that move the cursor to
 * other lines, and those of titles and links; the text of a link stays.
 */
/* oxlint-disable no-control-regex -- a terminal's escapes are control characters */

/** Style of a character: 0 default, 1 to 16 the terminal's colours, plus BOLD. */
export type Look = number;
export const BOLD = 32;

/** `looks` holds one character per character of `text`, whose code is its Look; empty if all have the default style. */
export type Line = { readonly text: string; readonly looks: string };
export type Run = { readonly text: string; readonly look: Look };

/** Any control character but the tab, which counts as text. */
const CONTROL = /(?!\t)\p{Cc}/u;
const CSI = /^\u001b\[([\d;:?<=>]*)[ -/]*([@-~])/;
/** Operating system commands such as links and titles, terminated by BEL or ST. */
const OSC = /^\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)/;
const OTHER = /^\u001b[ -/]*[0-Z\\^-~]/;
/** Longer sequences without a terminator are not escapes. */
const LONGEST_ESCAPE = 4096;
/** Width of the terminal: limits how far a cursor move pads a line with spaces. */
const WIDEST = 1000;

export class TerminalLine {
  #text = '';
  #looks = '';
  #at = 0;
  #look: Look = 0;
  /** An escape whose terminator has not arrived. */
  #begun = '';

  get isEmpty(): boolean {
    return this.#text === '';
  }

  get line(): Line {
    return { text: this.#text, looks: /[^\0]/.test(this.#looks) ? this.#looks : '' };
  }

  /** Ends the line; the current colour carries over to the next one. */
  end(): Line {
    const { line } = this;
    [this.#text, this.#looks, this.#at, this.#begun] = ['', '', 0, ''];
    return line;
  }

  /** @param text without line breaks, cut anywhere */
  write(text: string): void {
    let rest = this.#begun + text;
    this.#begun = '';
    while (rest !== '') {
      const control = rest.search(CONTROL);
      if (control !== 0) this.#put(control === -1 ? rest : rest.slice(0, control));
      if (control === -1) return;
      rest = rest.slice(control);
      const taken = rest.startsWith('\u001b') ? this.#escape(rest) : this.#control(rest);
      if (taken === 0) {
        this.#begun = rest;
        return;
      }
      rest = rest.slice(taken);
    }
  }

  #put(text: string): void {
    const look = String.fromCharCode(this.#look).repeat(text.length);
    const after = this.#at + text.length;
    this.#text = this.#text.slice(0, this.#at) + text + this.#text.slice(after);
    this.#looks = this.#looks.slice(0, this.#at) + look + this.#looks.slice(after);
    this.#at = after;
  }

  #control(rest: string): number {
    const code = rest.charCodeAt(0);
    if (code === 0x0d) this.#at = 0;
    else if (code === 0x08) this.#at = Math.max(0, this.#at - 1);
    else if (code !== 0x07) this.#put(code < 0x20 ? String.fromCharCode(0x2400 + code) : '\u2421');
    return 1;
  }

  /** @returns length of the escape; 0 if its terminator has not arrived */
  #escape(rest: string): number {
    const csi = CSI.exec(rest);
    if (csi) {
      this.#apply(csi[1] ?? '', csi[2] ?? '');
      return csi[0].length;
    }
    const other = OSC.exec(rest) ?? (/^\u001b[[\]PX^_]/.test(rest) ? null : OTHER.exec(rest));
    if (other) return other[0].length;
    return rest.length > LONGEST_ESCAPE ? 1 : 0;
  }

  #apply(parameters: string, command: string): void {
    const count = Math.min(Number(parameters.split(';')[0]) || 0, WIDEST);
    if (command === 'm') this.#look = lookAfter(this.#look, parameters);
    else if (command === 'K') this.#erase(count);
    else if (command === 'G') this.#move(Math.max(1, count) - 1);
    else if (command === 'C') this.#move(this.#at + Math.max(1, count));
    else if (command === 'D') this.#move(this.#at - Math.max(1, count));
  }

  #move(column: number): void {
    const to = Math.min(column, Math.max(WIDEST, this.#text.length));
    const lacking = to - this.#text.length;
    if (lacking > 0) {
      this.#text += ' '.repeat(lacking);
      this.#looks += '\0'.repeat(lacking);
    }
    this.#at = Math.max(0, to);
  }

  /** @param part 0 from the cursor on, 1 up to the cursor, 2 the whole line */
  #erase(part: number): void {
    const before = part === 0 ? this.#at : 0;
    const after = part === 1 ? Math.min(this.#at + 1, this.#text.length) : this.#text.length;
    this.#text = this.#text.slice(0, before) + ' '.repeat(after - before) + this.#text.slice(after);
    this.#looks = this.#looks.slice(0, before) + '\0'.repeat(after - before) + this.#looks.slice(after);
    if (part !== 1) {
      // Drop trailing spaces; the cursor stays where it is.
      this.#text = this.#text.slice(0, this.#at);
      this.#looks = this.#looks.slice(0, this.#at);
    }
  }
}

/** Supports the 16 colours and bold; other colours, backgrounds and italics get the default style. */
function lookAfter(look: Look, parameters: string): Look {
  const codes = parameters.split(';').map(Number);
  let [color, bold] = [look % BOLD, look & BOLD];
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) [color, bold] = [0, 0];
    else if (code === 1) bold = BOLD;
    else if (code === 22) bold = 0;
    else if (code >= 30 && code <= 37) color = code - 29;
    else if (code >= 90 && code <= 97) color = code - 81;
    else if (code === 39) color = 0;
    else if (code === 38 || code === 48) {
      const [kind, value = 0] = codes.slice(at + 1, at + 3);
      if (code === 38) color = kind === 5 && value < 16 ? value + 1 : 0;
      at += kind === 5 ? 2 : 4;
    }
  }
  return color + bold;
}

/** Groups consecutive characters of the same style. */
export function runsOf({ text, looks }: Line): Run[] {
  const runs: Run[] = [];
  for (let from = 0; from < looks.length; ) {
    const look = looks.charCodeAt(from);
    let to = from + 1;
    while (to < looks.length && looks.charCodeAt(to) === look) to += 1;
    runs.push({ text: text.slice(from, to), look });
    from = to;
  }
  return runs.length === 0 ? [{ text, look: 0 }] : runs;
}
