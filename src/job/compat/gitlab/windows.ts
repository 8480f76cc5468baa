/**
 * Page windows for a list that changes while it is read; each window overlaps the part read before.
 *
 * GitLab offers keyset pagination for `/projects`, but only offsets for the projects of a group. When a project
 * is removed, the later ones move up, and a plain listing misses the first project of the next page. Totals do
 * not reveal this, since another project may have been added. An answer contains everything between its first and
 * its last project at one moment. So if it contains a known project, it contains all that follows it, and there
 * is no gap.
 */

/** GitLab takes page and size instead of an offset, so a window begins at a multiple of its size. */
export type Window = { readonly page: number; readonly size: number };

/** GitLab's largest page size. */
export const WIDEST = 100;

export const FIRST: Window = { page: 1, size: WIDEST };

/** Number of projects before the window. */
export function startOf({ page, size }: Window): number {
  return (page - 1) * size;
}

/** The window that reaches furthest among those that contain the last of the first `known` projects. */
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

/** Reads the window; steps back towards the front until the answer contains a known project. */
export async function readOverlapping<T>(
  window: Window,
  { read, hasKnown }: { read: (window: Window) => Promise<T>; hasKnown: (answer: T) => boolean },
): Promise<{ answer: T; at: Window }> {
  let at = window;
  for (let back = 5; ; back *= 2) {
    const answer = await read(at);
    // The first page cannot overlap an earlier one.
    if (at.page === 1 || hasKnown(answer)) return { answer, at };
    at = windowAfter(startOf(at) - back);
  }
}
