/** Prints results: tables for people, JSON and YAML for programs. */
import { styleText } from 'node:util';
import { stringify } from 'yaml';

export type Format = 'table' | 'json' | 'yaml';
export const FORMATS: readonly Format[] = ['table', 'json', 'yaml'];

/** Text and look of a cell. Colours are omitted in files and pipes, and where NO_COLOR is set. */
export type Cell = string | { readonly text: string; readonly look: Look };
type Look = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** @param data printed as JSON and YAML @param table printed for people */
export function print(format: Format, data: unknown, table: () => string): void {
  if (format === 'json') process.stdout.write(`${jsonOf(data)}\n`);
  else if (format === 'yaml') process.stdout.write(shown(stringify(data)));
  else process.stdout.write(`${table()}\n`);
}

export function styled(look: Look, text: string): string {
  return styleText(look, text, { stream: process.stdout });
}

/** Formats columns as wide as their widest cell. @param empty replaces a table without rows */
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

/** Formats one `name  value` line per field; omits null and undefined. */
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

/** Escapes the control characters above 0x7e, which JSON leaves as they are; the value stays the same. */
function jsonOf(data: unknown): string {
  const escaped = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(data, null, 2).replaceAll(/(?!\n)\p{Cc}/gu, escaped);
}

/** Makes foreign text harmless on a terminal, and leaves it unchanged in a file or a pipe. */
export function shown(text: string, stream: { readonly isTTY?: boolean } = process.stdout): string {
  return stream.isTTY === true ? harmless(text) : text;
}

/**
 * Replaces control characters except line ends and tabs by their pictures (Unicode, from U+2400 on), so that foreign
 * text cannot control the terminal.
 */
export function harmless(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (found) => {
    const code = found.charCodeAt(0);
    if (found === '\n' || found === '\t') return found;
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\u2421';
  });
}

function plain(cell: Cell | undefined): string {
  return shown(typeof cell === 'object' ? cell.text : (cell ?? ''));
}

function show(cell: Cell): string {
  return typeof cell === 'object' ? styled(cell.look, plain(cell)) : plain(cell);
}
