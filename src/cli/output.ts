/** What commands print: tables for people, JSON and YAML for programs. */
import { styleText } from 'node:util';
import { stringify } from 'yaml';

export type Format = 'table' | 'json' | 'yaml';
export const FORMATS: readonly Format[] = ['table', 'json', 'yaml'];

/** A cell's text and, where it matters, how it looks; colours are left out where nobody sees them or NO_COLOR is set. */
export type Cell = string | { readonly text: string; readonly look: Look };
type Look = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** @param data what JSON and YAML show; the table is for people alone */
export function print(format: Format, data: unknown, table: () => string): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(data));
  else process.stdout.write(`${table()}\n`);
}

export function styled(look: Look, text: string): string {
  return styleText(look, text, { stream: process.stdout });
}

/** Columns as wide as their widest cell. @param empty said instead of a table without rows */
export function tableOf(heads: readonly string[], rows: readonly (readonly Cell[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => plain(row[at]).length)));
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, at) => {
        const padding = at === cells.length - 1 ? '' : ' '.repeat((widths[at] ?? 0) - plain(cell).length);
        return show(cell) + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(heads.map((text) => ({ text, look: 'bold' }))), ...rows.map(line)].join('\n');
}

/** One `name  value` line each; what is null is left out. */
export function fieldsOf(fields: Readonly<Record<string, Cell | null | undefined>>): string {
  const given = Object.entries(fields).filter(
    (entry): entry is [string, Cell] => entry[1] !== null && entry[1] !== undefined,
  );
  const width = Math.max(...given.map(([name]) => name.length));
  const indent = ' '.repeat(width + 2);
  return given
    .map(([name, cell]) => `${name.padEnd(width)}  ${show(cell).replaceAll('\n', `\n${indent}`)}`)
    .join('\n');
}

/**
 * Text that came from elsewhere must not steer the terminal: control characters but line ends and tabs are shown as
 * pictures (Unicode has them from U+2400 on).
 */
export function harmless(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (found) => {
    const code = found.charCodeAt(0);
    if (found === '\n' || found === '\t') return found;
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\u2421';
  });
}

function plain(cell: Cell | undefined): string {
  return harmless(typeof cell === 'object' ? cell.text : (cell ?? ''));
}

function show(cell: Cell): string {
  return typeof cell === 'object' ? styled(cell.look, plain(cell)) : plain(cell);
}
