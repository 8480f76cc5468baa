/** Lists the items that a run imports, page by page in the order of their ids. */
import { Census } from '../gitlab/census.ts';
import type { Project } from '../gitlab/project.ts';
import { ACTIVITY_MARGIN_MS, activeSince, firstPlace, projectPages } from '../gitlab/project-pages.ts';
import { readAt, watermarkOf } from './bank-clock.ts';
import type { BankContext } from './bank-context.ts';
import type { Asked, ListingPosition } from './import-progress.ts';

/** `project` null: not listed; look it up by id. */
export type ItemToImport = { readonly id: string; readonly project: Project | null };

export type ItemPage = {
  readonly items: readonly ItemToImport[];
  readonly place: ListingPosition;
  readonly next: ListingPosition | null;
  readonly total: number | null;
  /** The sink's next watermark; null for items by id, which do not move it. */
  readonly watermark: Date | null;
  /** Comparison of the listing with GitLab's totals; null unless it lists everything from the start. */
  readonly census: Census | null;
};

const PAGE = 100;

/** @param of.since the watermark from which a delta reads; null: every item */
export async function* pagesOf(
  context: BankContext,
  of: { asked: Asked; since: Date | null; from: ListingPosition | null },
): AsyncGenerator<ItemPage> {
  const { bank, options, began, log } = context;
  const { gitlab } = bank;
  if (of.asked === 'some') {
    const byName = options.items.map((id) => ({ id, project: null }));
    yield* slices(byName, { from: of.from, watermark: null });
    return;
  }
  if (of.since !== null) {
    const projects = await activeSince(gitlab, of.since);
    // The answers have now revealed GitLab's clock.
    if (of.since <= readAt(gitlab, began)) {
      const active = new Date(of.since.getTime() - ACTIVITY_MARGIN_MS).toISOString();
      log.info(
        `${projects.length} projects were active since ${active}; importing changes since ${of.since.toISOString()}`,
      );
      yield* slices(projects.map(toImport), { from: of.from, watermark: watermarkOf(context) });
      return;
    }
    context.warn(
      `the watermark ${of.since.toISOString()} lies in the future, so every item is checked; check the clocks of GitLab and of this machine`,
    );
  }
  const census = new Census();
  for await (const { projects, ...page } of projectPages(gitlab, of.from ?? firstPlace(), census)) {
    const items = projects.map(toImport);
    yield { ...page, items, watermark: watermarkOf(context), census: of.from === null ? census : null };
  }
}

function toImport(project: Project): ItemToImport {
  return { id: project.id, project };
}

/** Pages of a list in memory. A resume needs only the last id, so the query stays empty. */
function* slices(
  all: readonly ItemToImport[],
  { from, watermark }: { from: ListingPosition | null; watermark: Date | null },
): Generator<ItemPage> {
  let place: ListingPosition | null = from ?? { query: '', after: '0' };
  const left = all
    .filter(({ id }) => Number(id) > Number(place?.after))
    .toSorted((a, b) => Number(a.id) - Number(b.id));
  for (let start = 0; place !== null; start += PAGE) {
    const items = left.slice(start, start + PAGE);
    const last = items.at(-1);
    const next: ListingPosition | null =
      last && start + PAGE < left.length ? { query: '', after: last.id } : null;
    yield { items, place, next, total: all.length, watermark, census: null };
    place = next;
  }
}
