/**
 * Compares the number of listed projects with GitLab's totals: decides whether the listing is proven
 * complete, and stops a listing without an end. Pure.
 */
import { IncompleteListingError } from '../../job-error.ts';
import type { Evidence } from '../../sources/source.ts';
import { WIDEST } from './windows.ts';

/** Totals may differ, and a listing may exceed them, by this fraction, since projects change during the listing. */
const TOLERANCE = 0.1;
/**
 * Pages without a new project before the listing is aborted: new projects in front may repeat known ones for a
 * while.
 */
const MOST_WITHOUT_NEWS = 100;
/** Limit without a total, which GitLab omits above 10,000; no group has this many. */
const MOST_UNCOUNTED = 1_000_000;

export class Census {
  #listed = 0;
  #least: number | null = null;
  #most: number | null = null;
  #without = 0;

  /**
   * @param of.news number of projects on the page that no earlier page had
   * @param of.total GitLab's total; null if it does not count
   * @throws IncompleteListingError for a listing without an end
   */
  note({ news, total }: { news: number; total: number | null }): void {
    this.#listed += news;
    if (total !== null) {
      this.#least = Math.min(this.#least ?? total, total);
      this.#most = Math.max(this.#most ?? total, total);
    }
    this.#without = news > 0 ? 0 : this.#without + 1;
    if (this.#without > MOST_WITHOUT_NEWS) {
      throw new IncompleteListingError(
        'the projects of the group change too quickly to be listed; run the job again later',
      );
    }
    if (this.#listed > this.#mostToList()) {
      throw new IncompleteListingError(
        `${this.#listed} projects listed, but ${this.#told()}; run the job again later, or check proxies in front of GitLab`,
      );
    }
  }

  /** True if GitLab reported a total. */
  get isCounted(): boolean {
    return this.#most !== null;
  }

  /** The evidence about the listing, once it has ended. */
  evidence(): Evidence {
    const words = `${this.#listed} projects listed, ${this.#told()}`;
    if (this.#least === null || this.#most === null) return { complete: false, words };
    if (this.#least < this.#most * (1 - TOLERANCE))
      return { complete: false, words: `${words}, which differ too much; run the job again later` };
    const complete = this.#listed >= this.#least && this.#listed <= this.#most;
    return {
      complete,
      words: complete ? words : `${words}; check that GITLAB_TOKEN can see the whole group`,
    };
  }

  /** GitLab counts and lists at different moments, so a small group may exceed its total by a page. */
  #mostToList(): number {
    if (this.#most === null) return MOST_UNCOUNTED;
    return Math.max(this.#most * (1 + TOLERANCE), this.#most + WIDEST);
  }

  #told(): string {
    if (this.#most === null) return 'X-Total is missing';
    return this.#least === this.#most ? `X-Total ${this.#most}` : `X-Total ${this.#least} to ${this.#most}`;
  }
}
