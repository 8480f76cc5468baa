/** Finds the evidence that a SOURCE_FILE is complete: an end line, a `.total` file, or SOURCE_FILE_COMPLETE=true. */
import { readFile } from 'node:fs/promises';
import { IncompleteListingError } from '../job-error.ts';
import type { Line } from './lines.ts';
import type { Evidence } from './source.ts';

/** An end line is short: `{"end": true, "total": 1000}`. */
const MOST_END_LENGTH = 200;

/**
 * The total in an end line; null for any other line.
 * @throws IncompleteListingError for an end line without a total
 */
export function totalOfEnd(line: Line, where: () => string): number | null {
  if (typeof line !== 'string' || line.length > MOST_END_LENGTH || !line.includes('"end"')) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The record check reports the malformed line.
    return null;
  }
  if (typeof value !== 'object' || value === null || 'id' in value) return null;
  const { end, total } = value as { end?: unknown; total?: unknown };
  if (end !== true) return null;
  if (typeof total === 'number' && Number.isSafeInteger(total) && total >= 0) return total;
  throw new IncompleteListingError(
    `${where()} is an end line without a total: expected a form such as {"end": true, "total": 1000}`,
  );
}

/** The number in `<file>.total`; null without such a file. @throws IncompleteListingError if it is not a number */
export async function totalBeside(path: string): Promise<number | null> {
  let text: string;
  try {
    text = await readFile(`${path}.total`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (/^\d{1,15}$/.test(text.trim())) return Number(text);
  throw new IncompleteListingError(`${path}.total does not hold a number of records`);
}

/** @throws IncompleteListingError if a total differs from the number of records read */
export function evidenceOfTotals({
  path,
  count,
  atEnd,
  beside,
  renamedIntoPlace,
}: {
  path: string;
  count: number;
  atEnd: number | null;
  beside: number | null;
  renamedIntoPlace: boolean;
}): Evidence {
  const told = [
    [atEnd, 'its end line'],
    [beside, `${path}.total`],
  ] as const;
  for (const [total, place] of told) {
    if (total === null || total === count) continue;
    throw new IncompleteListingError(`${path}: ${count} records read, but ${place} says ${total}`);
  }
  const proof = told.find(([total]) => total !== null)?.[1];
  if (proof !== undefined) return { complete: true, words: `${count} records, the number in ${proof}` };
  if (renamedIntoPlace) return { complete: true, words: `${count} records, SOURCE_FILE_COMPLETE=true` };
  const ways = `a last line {"end": true, "total": ${count}}, a file ${path}.total, or SOURCE_FILE_COMPLETE=true`;
  return { complete: false, words: `nothing proves that ${path} is complete; add ${ways}` };
}
