/** Reads the header of a CSV file. Pure. */

const SEPARATORS = [',', ';', '\t', '|'] as const;

/** The sign that divides the header into most names. */
export function separatorOf(header: string): string {
  const outside = header.replace(/"[^"]*"/g, '');
  let best: string = ',';
  let most = 0;
  for (const sign of SEPARATORS) {
    const count = outside.split(sign).length - 1;
    if (count > most) [best, most] = [sign, count];
  }
  return best;
}

export function cellsOf(header: string, separator: string): string[] {
  const cells: string[] = [];
  let rest = header;
  for (;;) {
    const quoted = /^ *"((?:[^"]|"")*)" */.exec(rest);
    const end = quoted ? quoted[0].length : rest.indexOf(separator);
    const cell = quoted ? (quoted[1] ?? '').replaceAll('""', '"') : end < 0 ? rest : rest.slice(0, end);
    cells.push(cell);
    rest = rest.slice(quoted ? end : cell.length);
    if (!rest.startsWith(separator)) return cells;
    rest = rest.slice(separator.length);
  }
}

/** Whether each cell could be the name of a column; a record mostly has a number, a time or a long text. */
export function looksLikeNames(cells: readonly string[]): boolean {
  return cells.every((cell) => /^[\p{L}_][\p{L}\p{M}\p{N}_ .:/()#%&+-]{0,63}$/u.test(cell));
}
