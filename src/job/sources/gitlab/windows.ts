/**
 * Windows on a list that others change while it is read, placed such that each overlaps what was read before.
 *
 * GitLab has keyset pages for `/projects`, but none of its versions has them for the projects of a group: these go by
 * offset alone, and when a project goes, those after it move up, so that the first of the next page is seen by nobody.
 * Counts do not tell of it, since another one may have come. An answer has all that lay between its first and its last
 * at one moment; so one that has something known has all that follows it, and nothing lies between it and what was
 * read before.
 */

/** GitLab knows no offset: a window begins at a multiple of its own size. */
export type Window = { readonly page: number; readonly size: number };

/** The most that GitLab gives at once. */
export const WIDEST = 100;

export const FIRST: Window = { page: 1, size: WIDEST };

/** How many lie before it. */
export function startOf({ page, size }: Window): number {
  return (page - 1) * size;
}

/** The window that reaches furthest of those with the last of the `known` first ones in it. */
export function windowAfter(known: number): Window {
  const last = Math.max(0, known - 1);
  let best = FIRST;
  let reach = 0;
  for (let size = WIDEST; size > WIDEST / 2; size -= 1) {
    const page = Math.floor(last / size) + 1;
    if (page * size > reach) {
      best = { page, size };
      reach = page * size;
    }
  }
  return best;
}

/** What is at the window or, where that has nothing known, at one further to the front. */
export async function readOverlapping<T>(
  window: Window,
  { read, hasKnown }: { read: (window: Window) => Promise<T>; hasKnown: (answer: T) => boolean },
): Promise<{ answer: T; at: Window }> {
  let at = window;
  for (let back = 5; ; back *= 2) {
    const answer = await read(at);
    // Nothing lies before the first.
    if (at.page === 1 || hasKnown(answer)) return { answer, at };
    at = windowAfter(startOf(at) - back);
  }
}
