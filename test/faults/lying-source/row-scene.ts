/** A source of rows (a table, files, a repository) in one case. */

import { createRandom } from '../random.ts';
import { limitsOf } from './limits.ts';
import type { LiveSink } from './live-sink.ts';
import type { Mode, Row, Step, Told } from './model.ts';
import type { Ended, Runner } from './program-run.ts';
import type { RowLie, RowPlace } from './row-lie.ts';
import type { Scene, Teller } from './scene.ts';
import { makeStory, type Story } from './story.ts';

type RowStage<P extends RowPlace> = {
  readonly runner: Runner;
  readonly place: P;
  readonly sink: Pick<LiveSink, 'environment'>;
};

export function rowScene<P extends RowPlace>(
  { lie, seed }: { lie: RowLie<P>; seed: number },
  stage: RowStage<P>,
): Scene {
  const shape = (row: Row): Row => stage.place.shape(row);
  const story = shaped(makeStory(createRandom(seed)), shape);
  return { story, teller: new RowTeller(lie, seed, story, stage), limits: limitsOf(lie), shape };
}

/** The same rows in every part of the story. */
function shaped({ before, next, recent, removed, random }: Story, shape: (row: Row) => Row): Story {
  const rows = new Map([...before, ...next].map((row) => [row, shape(row)]));
  const all = (some: readonly Row[]): Row[] => some.map((row) => rows.get(row) ?? shape(row));
  return { before: all(before), next: all(next), recent: all(recent), removed: all(removed), random };
}

class RowTeller<P extends RowPlace> implements Teller {
  readonly chosen: number;
  readonly answers: ReadonlySet<string>;
  readonly #lie: RowLie<P>;
  readonly #seed: number;
  readonly #story: Story;
  readonly #stage: RowStage<P>;
  readonly #rows = new Map<Mode, readonly Row[]>();

  constructor(lie: RowLie<P>, seed: number, story: Story, stage: RowStage<P>) {
    this.#lie = lie;
    this.#seed = seed;
    this.#story = story;
    this.#stage = stage;
    this.chosen = createRandom(seed).integer(0, 3);
    const told = [...this.#rowsOf('ids'), ...(lie.answers?.(this.#freshStory()) ?? [])];
    const silent = new Set((lie.silent?.(this.#freshStory()) ?? []).map(({ id }) => id));
    this.answers = new Set(told.map(({ id }) => id).filter((id) => !silent.has(id)));
  }

  told(mode: Mode): Told {
    const aside = this.#setAside(mode);
    const isNamed = this.#lie.setAside?.as === 'by id';
    const rows = this.#seen(mode).filter((row) => row.id !== aside?.id || (isNamed && mode === 'ids'));
    return {
      fate: this.#lie.fate(mode),
      rows,
      setAside: aside && isNamed ? [aside.id] : [],
      gone: (this.#lie.deletes?.(this.#freshStory()) ?? [])
        .filter(({ updated_at: at }) => Date.parse(at) >= this.#from(mode))
        .map(({ id }) => id),
      answering: this.answers,
    };
  }

  rejects(mode: Mode): number {
    const aside = this.#setAside(mode);
    return aside && (this.#lie.setAside?.as === 'nameless' || mode !== 'ids') ? 1 : 0;
  }

  async lie(action: string, { mode, partOfDiff }: Step): Promise<Ended> {
    const { place } = this.#stage;
    const { tell, meanwhile, options, environment } = this.#lie;
    await place.put(this.#rowsOf(mode), true);
    await tell?.(place, this.#freshStory(), mode);
    await place.ready();
    let acted = false;
    const ended = await this.#run(
      options === undefined || action === 'delta' ? action : `${action} ${options}`,
      { ...environment, ...(partOfDiff ? { SYNCRATOR_PART_OF: 'diff' } : {}) },
      (line) => {
        if (acted || meanwhile?.at.test(line) !== true) return;
        acted = true;
        meanwhile.act(place, this.#freshStory());
      },
    );
    await place.settle();
    return ended;
  }

  async honestly(action: string, rows: readonly Row[], proven = true): Promise<Ended> {
    await this.#stage.place.put(rows, proven);
    await this.#stage.place.ready();
    return await this.#run(action);
  }

  async #run(
    options: string,
    more: Record<string, string> = {},
    onLine?: (line: string) => void,
  ): Promise<Ended> {
    const { runner, place, sink } = this.#stage;
    const environment = { ...sink.environment, ...place.settings, ...more };
    // Batches and lanes of several sizes.
    const sizes = `-n ${10 + this.chosen * 30} -c ${1 + (this.chosen % 3)}`;
    return await runner.run(`${options} ${sizes}`, environment, onLine);
  }

  /** Chosen per case, and the same in each repetition. */
  #freshStory(): Story {
    return { ...this.#story, random: createRandom(this.#seed + 1) };
  }

  #rowsOf(mode: Mode): readonly Row[] {
    const known = this.#rows.get(mode);
    const told = known ?? this.#lie.rows?.(this.#freshStory(), mode) ?? this.#story.next;
    const rows = known ?? told.map((row) => this.#stage.place.shape(row));
    this.#rows.set(mode, rows);
    return rows;
  }

  #setAside(mode: Mode): Row | undefined {
    const row = this.#lie.setAside?.row(this.#freshStory());
    return row && this.#seen(mode).find(({ id }) => id === row.id);
  }

  #seen(mode: Mode): readonly Row[] {
    const { reads, misses } = this.#lie;
    const missed = new Set((misses?.(this.#freshStory(), mode) ?? []).map(({ id }) => id));
    const from = this.#from(mode);
    return this.#rowsOf(mode)
      .filter(({ id }) => !missed.has(id))
      .map((row) => reads?.(row) ?? row)
      .filter(({ updated_at: at }) => Date.parse(at) >= from);
  }

  #from(mode: Mode): number {
    const asked = this.#stage.place.since();
    return mode === 'changes' ? (this.#lie.since?.(asked) ?? asked) : -Infinity;
  }
}
