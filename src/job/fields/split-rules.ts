/** Splits the list of FIELDS into rules, at commas and line ends outside of quotes and brackets. Pure. */

/** A rule that cannot be carried out. The message names the rule by its place and text. */
export class RuleFault extends Error {
  override readonly name = 'RuleFault';
}

/** A rule as it was written. */
export type WrittenRule = {
  readonly text: string;
  /** `FIELDS rule 2 (drop email)`, for logs and errors. */
  readonly place: string;
};

const MOST_SHOWN = 60;

/** @throws RuleFault if a quote or bracket stays open */
export function splitRules(list: string): WrittenRule[] {
  const rules: WrittenRule[] = [];
  let start = 0;
  let depth = 0;
  let inText = false;
  const written = (end: number): WrittenRule => {
    const text = list.slice(start, end).trim();
    return { text, place: placeOf(text, rules.length + 1) };
  };
  for (let at = 0; at < list.length; at += 1) {
    const sign = list[at];
    if (inText) {
      if (sign === '\\') at += 1;
      else if (sign === '"') inText = false;
    } else if (sign === '"') inText = true;
    else if (sign === '[' || sign === '{') depth += 1;
    else if (sign === ']' || sign === '}') depth = Math.max(0, depth - 1);
    else if (depth === 0 && (sign === ',' || sign === '\n')) {
      if (written(at).text !== '') rules.push(written(at));
      start = at + 1;
    }
  }
  const last = written(list.length);
  if (inText || depth > 0) {
    const fix = 'close it, or write the whole value as JSON text such as "5\\" [draft"';
    throw new RuleFault(`${last.place} opens a quote or bracket and does not close it; ${fix}`);
  }
  return last.text === '' ? rules : [...rules, last];
}

function placeOf(text: string, number: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return `FIELDS rule ${number} (${line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line})`;
}
