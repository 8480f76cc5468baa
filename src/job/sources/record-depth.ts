/** Measures how deep a line of JSON is nested, without parsing, which could overflow the stack. */
export const MOST_DEPTH = 100;

/** The depth if it exceeds {@link MOST_DEPTH}; else some number up to it. */
export function depthOf(line: string): number {
  // Each level has two brackets, so short lines and lines with few brackets cannot be deep.
  if (line.length <= 2 * MOST_DEPTH || openings(line) <= MOST_DEPTH) return 0;
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at];
    if (inText) {
      if (sign === '\\') at += 1;
      else if (sign === '"') inText = false;
    } else if (sign === '"') inText = true;
    else if (sign === '{' || sign === '[') deepest = Math.max(deepest, (depth += 1));
    else if (sign === '}' || sign === ']') depth -= 1;
  }
  return deepest;
}

/** Counts opening brackets, also within texts; stops beyond {@link MOST_DEPTH}. */
function openings(line: string): number {
  let count = 0;
  for (const sign of ['{', '[']) {
    for (let at = line.indexOf(sign); at >= 0 && count <= MOST_DEPTH; at = line.indexOf(sign, at + 1))
      count += 1;
  }
  return count;
}
