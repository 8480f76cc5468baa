/** The table of figures: medians side by side, and whether each bound holds. Judges nothing further. */
import type { Figure } from './figure.ts';

const BOUND = /^(ours\/raw|ours) (<=|>=|<|>) (\d+(?:\.\d+)?)(?: \S+)?$/;

/** Lines of a table, columns aligned, the head first. */
export function table(figures: readonly Figure[]): string[] {
  const rows = [['name', 'median ours', 'median raw', 'ratio', 'bound', 'holds'], ...figures.map(row)];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => width(cells[column]))));
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** @throws Error for a bound in an unknown form */
export function holds({ bound, ours, raw }: Figure): boolean {
  const [, side, comparison, text] = BOUND.exec(bound) ?? [];
  if (text === undefined)
    throw new Error(`'${bound}' is not a valid bound: expected e.g. 'ours/raw <= 3' or 'ours < 10 s'`);
  const value = side === 'ours' ? median(ours) : median(ours) / median(raw);
  const limit = Number(text);
  switch (comparison) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    default:
      return value >= limit;
  }
}

function row(figure: Figure): string[] {
  const [ours, raw] = [median(figure.ours), median(figure.raw)];
  return [
    figure.bench,
    `${short(ours)} ${figure.unit}`,
    figure.raw.length === 0 ? '-' : `${short(raw)} ${figure.unit}`,
    raw === 0 || figure.raw.length === 0 ? '-' : (ours / raw).toFixed(2),
    figure.bound,
    holds(figure) ? 'yes' : 'no',
  ];
}

function short(value: number): string {
  return value >= 1_000 ? value.toFixed(0) : value.toPrecision(3);
}

function width(cell: string | undefined): number {
  return cell?.length ?? 0;
}
