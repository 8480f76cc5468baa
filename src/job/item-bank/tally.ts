/** How far a run of the item bank has come: what became of the items, which failed, and where a resume goes on. Pure. */

import type { Progress } from '../actions/action.ts';
import type { ItemsCheckpoint } from '../checkpoint.ts';

/**
 * `no item`: a project without the item's file as yet. `removed`: one without the file any more. `gone`: no project of
 * the group.
 */
export type Outcome =
  | 'added'
  | 'updated'
  | 'unchanged'
  | 'no item'
  | 'removed'
  | 'gone'
  | 'ignored'
  | Failure;
export type Failure = { readonly id: string; readonly why: string };
export type Place = NonNullable<ItemsCheckpoint['place']>;
export type Asked = ItemsCheckpoint['asked'];

const MOST_FAILED = 1000;
/** The api takes a checkpoint of 56 KiB (src/api/reports.ts); the rest of it is small. */
const MOST_CHARACTERS = 48 * 1024;
const LONGEST_WHY = 120;
const NAMED = 20;

export function failure(id: string, why: string): Failure {
  return { id, why: why.slice(0, LONGEST_WHY) };
}

export class Tally {
  readonly #asked: Asked;
  readonly #since: Date | null;
  readonly #ids: Record<Exclude<Outcome, Failure>, number> & { named: Record<string, string[]> };
  #failed: readonly Failure[];
  #failedOfPage: Failure[] = [];
  #failedCount = 0;
  #place: Place | null;
  /** More have failed than can be kept: the place stands still, and a resume does again what follows it. */
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

  /** @param of.place where the listing stands before this page */
  beginPage(of: { place: Place; total: number | null; watermark: Date | null }): void {
    if (!this.#full) this.#place = of.place;
    this.#total = of.total;
    this.#watermark ??= of.watermark;
  }

  /** @param isAnew it was counted as done before, by the run that this one resumes */
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

  /** Those that failed before were tried again. */
  endRetry(): void {
    this.#failed = this.#failedOfPage;
    this.#failedOfPage = [];
  }

  endPage(next: Place | null): void {
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

  /** The lines that end a run's log. */
  *lines(): Generator<string> {
    const { added, updated, unchanged, 'no item': none, removed, gone, ignored, named } = this.#ids;
    yield `${added} items added, ${updated} updated, ${unchanged} were at their latest revision, ${this.#failedCount} failed`;
    const list = (of: string, count: number): string =>
      `${named[of]?.join(', ')}${count > NAMED ? ` and ${count - NAMED} more` : ''}`;
    if (none > 0) yield `${none} projects have no item yet: ${list('no item', none)}`;
    if (removed > 0)
      yield `of ${removed} items the file was removed (delete removes the items): ${list('removed', removed)}`;
    if (gone > 0)
      yield `${gone} are no projects of the group (delete removes their items): ${list('gone', gone)}`;
    if (ignored > 0) yield `${ignored} are in GITLAB_IGNORE: ${list('ignored', ignored)}`;
  }

  /** How many failed, and the first few. */
  describeFailed(): string {
    const first = this.#failed.slice(0, 5).map(({ id, why }) => `${id} (${why})`);
    const more = this.#failedCount > first.length ? ', …' : '';
    const others = this.#total === null ? 'all others' : `all others of ${this.#total}`;
    return `${this.#failedCount} items failed: ${first.join(', ')}${more}; ${others} are done`;
  }
}
