/**
 * Commands of a Markdown page with the output that the page promises: fenced `sh` blocks and the `text` block after
 * each.
 */

export type DocCommands = {
  /** Line of the page where the block begins. */
  readonly line: number;
  readonly code: string;
  /** Expected exit code of the last command: 0, or that of `sh exit=2`. */
  readonly exit: number;
  /** Lines that the output must contain, in this order. */
  readonly expected: readonly string[];
};

const FENCE = /^\s*```(\w*)(?:\s+exit=(\d+))?\s*$/;

/** All `sh` blocks of a page, in order. */
export function readDocCommands(markdown: string): DocCommands[] {
  const found: DocCommands[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const opening = FENCE.exec(lines[at] ?? '');
    if (!opening) continue;
    const body: string[] = [];
    const line = at + 1;
    while (++at < lines.length && !FENCE.test(lines[at] ?? '')) body.push((lines[at] ?? '').trim());
    const last = found.at(-1);
    if (opening[1] === 'sh')
      found.push({ line, code: body.join('\n'), exit: Number(opening[2] ?? 0), expected: [] });
    else if (opening[1] === 'text' && last && last.expected.length === 0)
      found[found.length - 1] = { ...last, expected: body.filter((text) => text !== '') };
  }
  return found;
}

/**
 * The first promised line that the output lacks; undefined if all are there, in order. `…` stands for any text, and
 * runs of spaces count as one.
 */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map(oneSpaced);
  let from = 0;
  for (const text of expected) {
    const pattern = new RegExp(`^${oneSpaced(text).split('…').map(escaped).join('.*')}$`);
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (at === -1) return text;
    from = at + 1;
  }
  return undefined;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function oneSpaced(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
