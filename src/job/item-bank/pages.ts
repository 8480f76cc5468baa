/** Which items a run is about, page by page in the order of their ids. */

import { watermarkAt } from '../actions/action.ts';
import type { Project } from '../sources/gitlab/gitlab.ts';
import { activeSince, firstPlace, projectPages } from '../sources/gitlab/project-pages.ts';
import type { BankContext } from './run-item-bank.ts';
import type { Asked, Place } from './tally.ts';

/** `project` null: to be looked up. */
export type ItemToBring = { readonly id: string; readonly project: Project | null };

export type ItemPage = {
  readonly items: readonly ItemToBring[];
  readonly place: Place;
  readonly next: Place | null;
  readonly total: number | null;
  /** What the sink's watermark becomes once all is done; null for items by name, which leave it where it is. */
  readonly watermark: Date | null;
};

const PAGE = 100;

/** @param of.since the watermark that a delta goes on from */
export async function* pagesOf(
  { bank: { gitlab }, options }: BankContext,
  of: { asked: Asked; since: Date | null; from: Place | null },
): AsyncGenerator<ItemPage> {
  if (of.asked === 'some') {
    const byName = options.items.map((id) => ({ id, project: null }));
    yield* slices(byName, { from: of.from, watermark: null });
  } else if (of.since !== null) {
    const { projects, now } = await activeSince(gitlab, of.since);
    yield* slices(projects.map(toBring), { from: of.from, watermark: watermarkAt(now) });
  } else {
    for await (const { projects, now, ...page } of projectPages(gitlab, of.from ?? firstPlace())) {
      yield { ...page, items: projects.map(toBring), watermark: watermarkAt(now) };
    }
  }
}

function toBring(project: Project): ItemToBring {
  return { id: project.id, project };
}

/** Of a listing that is in hand as a whole: its query is of no use to a resume, the last id is. */
function* slices(
  all: readonly ItemToBring[],
  { from, watermark }: { from: Place | null; watermark: Date | null },
): Generator<ItemPage> {
  let place: Place | null = from ?? { query: '', after: '0' };
  const left = all
    .filter(({ id }) => Number(id) > Number(place?.after))
    .toSorted((a, b) => Number(a.id) - Number(b.id));
  for (let start = 0; place !== null; start += PAGE) {
    const items = left.slice(start, start + PAGE);
    const last = items.at(-1);
    const next: Place | null = last && start + PAGE < left.length ? { query: '', after: last.id } : null;
    yield { items, place, next, total: all.length, watermark };
    place = next;
  }
}
