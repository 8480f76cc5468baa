/** Collects the webhooks that a run repaired, for a warning. */

/** Number of webhooks that the warning names; the rest are counted. */
const NAMED = 5;

export class RepairedHooks {
  readonly #named: string[] = [];
  #count = 0;

  note(project: string, wrong: string): void {
    this.#count += 1;
    if (this.#named.length < NAMED) this.#named.push(`${project} (${wrong})`);
  }

  /** Null if no webhook was repaired. */
  warning(): string | null {
    if (this.#count === 0) return null;
    const more = this.#count > NAMED ? ` and ${this.#count - NAMED} more` : '';
    return `the webhooks of ${this.#count} projects were broken and have been repaired; earlier pushes were not reported: ${this.#named.join(', ')}${more}`;
  }
}
