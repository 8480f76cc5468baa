/**
 * TARGET_PATTERN: a closed grammar for whole names that matches in time linear in the name. Callers choose the
 * name: with a JavaScript regular expression one name could block the process for hours.
 */

/** One character of a set, `least` to `most` times. */
type Item = { readonly chars: ReadonlySet<string>; readonly least: number; readonly most: number };
type Sequence = readonly Item[];

export type NamePattern = { readonly fits: (name: string) => boolean };

/** Longest name that can match. */
const LONGEST = 100;
const MOST_ITEMS = 200;

const between = (first: string, last: string) =>
  Array.from({ length: last.charCodeAt(0) - first.charCodeAt(0) + 1 }, (_, i) =>
    String.fromCharCode(first.charCodeAt(0) + i),
  );
const DIGITS = between('0', '9');
/** Every character that a name may contain. */
const ALL: ReadonlySet<string> = new Set([...between('A', 'Z'), ...between('a', 'z'), ...DIGITS, '-', '_']);
const SHORT: Readonly<Record<string, ReadonlySet<string>>> = {
  '.': ALL,
  '\\d': new Set(DIGITS),
  '\\w': new Set([...ALL].filter((char) => char !== '-')),
};

/** One character and how often it may repeat: a pattern consists of such items. */
const ITEM = /(\[[^[\]]*\]|\\[dw]|\.|[-_A-Za-z0-9])(?:([*+?])|\{(\d{1,3})(?:(,)(\d{1,3})?)?\})?/y;
/** A part of `[…]`. */
const RANGE = /\\[dw]|([-_A-Za-z0-9])(?:-([A-Za-z0-9]))?/y;

const PATTERN_WORDS =
  'a pattern consists of letters, digits, - and _, and classes such as [A-Z0-9_], each optionally followed by ' +
  '*, +, ? or {1,3}; | separates whole alternatives; groups, ^ and $ are not allowed';

/** @returns the pattern, or in words what is wrong with it */
export function parseNamePattern(text: string): NamePattern | { readonly error: string } {
  const sequences: Sequence[] = [];
  for (const alternative of text.split('|')) {
    const sequence = parseSequence(alternative);
    if ('error' in sequence) return { error: `'${text}': ${sequence.error}; ${PATTERN_WORDS}` };
    sequences.push(sequence);
  }
  if (sequences.reduce((sum, { length }) => sum + length, 0) > MOST_ITEMS)
    return { error: `is longer than ${MOST_ITEMS} characters and classes` };
  return { fits: (name) => name.length <= LONGEST && sequences.some((sequence) => fits(sequence, name)) };
}

function parseSequence(text: string): Sequence | { readonly error: string } {
  if (text === '') return { error: 'an alternative is empty' };
  const items: Item[] = [];
  for (let at = 0; at < text.length; ) {
    ITEM.lastIndex = at;
    const match = ITEM.exec(text);
    const [whole = '', atom = '', sign, low, comma, high] = match ?? [];
    const chars = atom === '' ? undefined : charsOf(atom);
    if (!chars) return { error: `'${text.slice(at, at + 20)}' cannot be read` };
    const [least, most] = timesOf(sign, low, comma, high);
    if (least > most || (high !== undefined && most > LONGEST) || least > LONGEST)
      return { error: `'${whole}' is not a valid repeat: expected {least,most}, at most 100` };
    items.push({ chars, least, most });
    at += whole.length;
  }
  return items;
}

function timesOf(
  sign: string | undefined,
  low: string | undefined,
  comma: string | undefined,
  high: string | undefined,
): readonly [least: number, most: number] {
  if (low !== undefined) return [Number(low), comma === undefined ? Number(low) : Number(high ?? LONGEST)];
  return [sign === '*' || sign === '?' ? 0 : 1, sign === '*' || sign === '+' ? LONGEST : 1];
}

/** Undefined for a class that cannot be read. */
function charsOf(atom: string): ReadonlySet<string> | undefined {
  if (!atom.startsWith('[')) return SHORT[atom] ?? new Set([atom]);
  const body = atom.slice(1, -1);
  const isNegated = body.startsWith('^');
  const chars = new Set<string>();
  const from = isNegated ? 1 : 0;
  if (body.length === from) return undefined;
  for (let at = from; at < body.length; at = RANGE.lastIndex) {
    RANGE.lastIndex = at;
    const match = RANGE.exec(body);
    if (!match) return undefined;
    const [whole, first, last] = match;
    const read = first === undefined ? [...(SHORT[whole] ?? [])] : between(first, last ?? first);
    if (read.length === 0) return undefined;
    for (const char of read) chars.add(char);
  }
  return isNegated ? new Set([...ALL].filter((char) => !chars.has(char))) : chars;
}

/** Matches item by item, from all places that the items before can reach; never goes back. */
function fits(sequence: Sequence, name: string): boolean {
  let reached = Array.from({ length: name.length + 1 }, () => false);
  reached[0] = true;
  for (const item of sequence) reached = after(item, reached, name);
  return reached[name.length] === true;
}

function after({ chars, least, most }: Item, reached: readonly boolean[], name: string): boolean[] {
  const next = Array.from({ length: name.length + 1 }, () => false);
  /** Beginning of the current run of matching characters, and the last place in it from which enough of them follow. */
  let begin = 0;
  let from: number | undefined;
  for (let to = 0; to <= name.length; to++) {
    if (to > 0 && !chars.has(name[to - 1] ?? '')) {
      begin = to;
      from = undefined;
    }
    if (to - least >= begin && reached[to - least]) from = to - least;
    next[to] = from !== undefined && to - from <= most;
  }
  return next;
}
