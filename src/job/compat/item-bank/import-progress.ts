/** Tracks a run of the item bank: outcome of each item, failed items, and the position for a resume. Pure. */
import type { Progress } from '../../actions/action.ts';
import type { ItemsCheckpoint } from '../../checkpoint.ts';

/**
 * `no item`: the project never had the item's file. `removed`: it no longer has the file. `marked`: it is marked for
 * deletion. `gone`: the group has no such project.
 */
export type Outcome =
  | 'added'
  | 'updated'
  | 'unchanged'
  | 'no item'
  | 'removed'
  | 'marked'
  | 'gone'
  | 'ignored'
  | Failure;
export type Failure = { readonly id: string; readonly why: string };
export type ListingPosition = NonNullable<ItemsCheckpoint['place']>;
export type Asked = ItemsCheckpoint['asked'];

const MOST_FAILED = 1000;
/** Size limit of the failed items, since the api accepts checkpoints up to 56 KiB (src/api/live/reports.ts). */
const MOST_CHARACTERS = 48 * 1024;
const LONGEST_WHY = 120;
const NAMED = 20;

export function failure(id: string, why: string): Failure {
  return { id, why: why.slice(0, LONGEST_WHY) };
}

export class ImportProgress {
  readonly #asked: Asked;
  readonly #since: Date | null;
  readonly #ids: Record<Exclude<Outcome, Failure>, number> & { named: Record<string, string[]> };
  #failed: readonly Failure[];
  #failedOfPage: Failure[] = [];
  #failedCount = 0;
  #place: ListingPosition | null;
  /**
   * More items failed than a checkpoint can hold: the position no longer moves, and a resume repeats what follows
   * it.
   */
  #full = false;
  #done: number;
  #total: number | null;
  #watermark: Date | null;

  constructor(of: { asked: Asked; since: Date | null; earlier: ItemsCheckpoint | null }) {
    const { asked, since, earlier } = of;
    this.#asked = asked;
    this.#since = since;
    this.#ids = {
      added: 0,
      updated: 0,
      unchanged: 0,
      'no item': 0,
      removed: 0,
      marked: 0,
      gone: 0,
      ignored: 0,
      named: {},
    };
    this.#failed = earlier?.failed ?? [];
    this.#place = earlier?.place ?? null;
    this.#done = earlier?.done ?? 0;
    this.#total = earlier?.total ?? null;
    this.#watermark = earlier?.watermark ? new Date(earlier.watermark) : null;
  }

  get watermark(): Date | null {
    return this.#watermark;
  }

  get failedCount(): number {
    return this.#failedCount;
  }

  /** @param of.place position before this page */
  beginPage(of: { place: ListingPosition; total: number | null; watermark: Date | null }): void {
    if (!this.#full) this.#place = of.place;
    this.#total = of.total;
    this.lowerWatermark(of.watermark);
  }

  /** Keeps the earliest watermark. */
  lowerWatermark(to: Date | null): void {
    if (to !== null && (this.#watermark === null || to < this.#watermark)) this.#watermark = to;
  }

  /** @param isAnew true for a retried item, which the earlier run has already counted as done */
  note(id: string, outcome: Outcome, isAnew: boolean): void {
    if (!isAnew) this.#done += 1;
    if (typeof outcome === 'string') {
      this.#ids[outcome] += 1;
      const named = (this.#ids.named[outcome] ??= []);
      if (named.length < NAMED) named.push(id);
    } else {
      this.#failedCount += 1;
      this.#failedOfPage.push(outcome);
    }
  }

  /** Ends the retry of earlier failed items: only those that failed again remain. */
  endRetry(): void {
    this.#failed = this.#failedOfPage;
    this.#failedOfPage = [];
  }

  endPage(next: ListingPosition | null): void {
    const failed = [...this.#failed, ...this.#failedOfPage];
    this.#failedOfPage = [];
    this.#full ||= failed.length > MOST_FAILED || JSON.stringify(failed).length > MOST_CHARACTERS;
    if (this.#full) return;
    this.#failed = failed;
    this.#place = next;
  }

  counts(): Progress {
    const { added, updated } = this.#ids;
    const failed = this.#failedCount;
    return {
      phase: 'updating',
      records_done: this.#done,
      records_total: this.#total,
      added,
      updated,
      failed,
    };
  }

  checkpoint(): ItemsCheckpoint {
    return {
      action: 'items',
      asked: this.#asked,
      since: this.#since?.toISOString() ?? null,
      watermark: this.#watermark?.toISOString() ?? null,
      place: this.#place,
      done: this.#done,
      total: this.#total,
      failed: [...this.#failed],
    };
  }

  /** The log lines that summarise the run. */
  *lines(): Generator<string> {
    const { added, updated, unchanged, 'no item': none, removed, marked, gone, ignored, named } = this.#ids;
    yield `items: ${added} added, ${updated} updated, ${unchanged} already at their latest revision, ${this.#failedCount} failed`;
    const list = (of: string, count: number): string =>
      `${named[of]?.join(', ')}${count > NAMED ? ` and ${count - NAMED} more` : ''}`;
    if (none > 0) yield `projects without an item: ${none} (${list('no item', none)})`;
    if (removed > 0)
      yield `items whose file is gone: ${removed}, kept (run delete to remove them): ${list('removed', removed)}`;
    if (marked > 0)
      yield `projects marked for deletion: ${marked}, items unchanged (run delete to remove them): ${list('marked', marked)}`;
    if (gone > 0)
      yield `ids without a project in the group: ${gone} (run delete to remove their items): ${list('gone', gone)}`;
    if (ignored > 0) yield `projects skipped by GITLAB_IGNORE: ${ignored} (${list('ignored', ignored)})`;
  }

  /** The number of failed items and the first five. */
  describeFailed(): string {
    const first = this.#failed.slice(0, 5).map(({ id, why }) => `${id} (${why})`);
    const more = this.#failedCount > first.length ? ', …' : '';
    const others = this.#total === null ? 'all others' : `all others of ${this.#total}`;
    const items = this.#failedCount === 1 ? 'item' : 'items';
    return `${this.#failedCount} ${items} failed: ${first.join(', ')}${more}; ${others} are done`;
  }
}
