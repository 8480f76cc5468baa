/** The source of a history: what it has, what it has lost, and when it wrote each record. */
import type { GoneRecord, SourceRecord } from '../../../../src/job/sources/source.ts';
import { changeRecords } from '../../support/history-changes.ts';
import { named } from '../../support/live-rows.ts';
import type { Chapter } from './chapters.ts';
import type { Truth } from './telling.ts';

const RECORDS = 20;

export class StorySource {
  #records: readonly SourceRecord[] = Array.from({ length: RECORDS }, (_, nth) =>
    named(`r${10 + nth}`, 'first'),
  );
  /** Those that it has lost, as they were. */
  readonly #lost = new Map<string, SourceRecord>();
  readonly #deleted = new Map<string, GoneRecord>();
  /** The chapter in which it wrote a record with the time of then. */
  readonly #writtenIn = new Map<string, number>();
  #made = 100;

  get truth(): Truth {
    return { records: this.#records, deleted: [...this.#deleted.values()] };
  }

  change({ source, back }: Pick<Chapter, 'source' | 'back'>, chapter: number): void {
    const before = new Map(this.#records.map((record) => [record.id, record]));
    const next = () => (this.#made += 1);
    const after = new Map(changeRecords(this.#records, source, next).map((record) => [record.id, record]));
    const at = new Date().toISOString();
    const lost = [...this.#lost.keys()];
    for (const share of back.ids) {
      const record = this.#lost.get(lost[Math.floor(share * lost.length)] ?? '');
      if (record && !after.has(record.id))
        after.set(record.id, back.old ? record : named(record.id, `back ${next()}`, at));
    }
    for (const [id, record] of before) {
      if (after.has(id)) continue;
      this.#lost.set(id, record);
      this.#deleted.set(id, { id, at });
      this.#writtenIn.delete(id);
    }
    for (const [id, record] of after) {
      this.#deleted.delete(id);
      if (record === before.get(id)) continue;
      if (record.updated_at >= at) this.#writtenIn.set(id, chapter);
      // No delta sees a record that comes back with an older time.
      else this.#writtenIn.delete(id);
    }
    this.#records = [...after.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Records that it has written since that chapter, of which a listing since this time tells nothing. */
  missedSince(since: Date, readTo: number): string[] {
    return this.#records
      .filter(({ id }) => (this.#writtenIn.get(id) ?? -1) > readTo)
      .filter(({ updated_at: at }) => Date.parse(at) < since.getTime())
      .map(({ id }) => id);
  }
}
