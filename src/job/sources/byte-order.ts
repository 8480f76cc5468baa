/** Compares ids by the bytes of their UTF-8, the order that all parts of the program use. */

/** Whether `id` comes after `previous`. */
export function isAfter(id: string, previous: string): boolean {
  const shared = Math.min(id.length, previous.length);
  for (let at = 0; at < shared; at += 1) {
    const [one, other] = [id.charCodeAt(at), previous.charCodeAt(at)];
    if (one !== other) return rank(one) > rank(other);
  }
  return id.length > previous.length;
}

/** UTF-16 order equals UTF-8 byte order except for surrogates, whose code points come after U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * A text that sorts just before `id`, for the exclusive `after` parameter; null if `id` sorts first. Ids never
 * contain U+0000, and are assumed not to contain U+10FFFF.
 */
export function justBefore(id: string): string | null {
  const signs = Array.from(id);
  const last = signs.pop()?.codePointAt(0) ?? 0;
  const head = signs.join('');
  if (last <= 1) return head || null;
  const before = last === 0xe000 ? 0xd7ff : last - 1;
  return `${head}${String.fromCodePoint(before)}\u{10ffff}`;
}
