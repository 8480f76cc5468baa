/** A source of lines (NDJSON over HTTP, or a file) in one case. */

import { createRandom } from '../random.ts';
import type { FileSource } from './file-source.ts';
import type { HttpSource, Telling } from './http-source.ts';
import { honest, honestly, type HttpTold, type Lie, type Line, type SourceKind } from './lie.ts';
import { limitsOf } from './limits.ts';
import type { LiveSink } from './live-sink.ts';
import type { Mode, Row, Step, Told } from './model.ts';
import type { Ended, Runner } from './program-run.ts';
import type { Scene, Teller } from './scene.ts';
import { makeStory, type Story } from './story.ts';

export type LineCase = {
  readonly lie: Lie;
  readonly source: SourceKind;
  readonly seed: number;
};

type LineStage = {
  readonly runner: Runner;
  readonly http: HttpSource;
  readonly file: FileSource;
  readonly sink: Pick<LiveSink, 'environment'>;
};

const HOUR_MS = 3_600_000;

export function lineScene(given: LineCase, stage: LineStage): Scene {
  const story = makeStory(createRandom(given.seed));
  return {
    story,
    teller: new LineTeller(given, story, stage),
    limits: limitsOf(given.lie),
    shape: (row) => row,
  };
}

class LineTeller implements Teller {
  readonly chosen: number;
  readonly answers: ReadonlySet<string>;
  readonly #given: LineCase;
  readonly #story: Story;
  readonly #stage: LineStage;
  readonly #answering: readonly Line[];
  readonly #lines = new Map<Mode, readonly Line[]>();

  constructor(given: LineCase, story: Story, stage: LineStage) {
    this.#given = given;
    this.#story = story;
    this.#stage = stage;
    this.chosen = createRandom(given.seed).integer(0, 3);
    const more = given.source === 'http' ? honestly(given.lie.answers?.(story) ?? []) : [];
    const all = new Map([...more, ...this.#linesOf('ids')].map((line) => [line.row.id, line] as const));
    this.#answering = [...all.values()].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.row.id), Buffer.from(b.row.id)),
    );
    this.answers = new Set(all.keys());
  }

  /** The facts about a lie that the model needs. */
  told(mode: Mode): Told {
    const seen = this.#seen(mode);
    const isKept = ({ setAside }: Line): boolean =>
      setAside === undefined || (mode === 'ids' && setAside === 'by id');
    return {
      fate: this.#given.lie.fate(mode),
      rows: lastOfEach(seen.filter(isKept).map(({ row }) => row)),
      setAside: seen.filter(({ setAside }) => setAside === 'by id').map(({ row }) => row.id),
      answering: this.answers,
    };
  }

  rejects(mode: Mode): number {
    return this.#seen(mode).filter(({ setAside }) => setAside === 'nameless' || (setAside && mode !== 'ids'))
      .length;
  }

  async lie(action: string, { mode, partOfDiff }: Step): Promise<Ended> {
    const { lie, source } = this.#given;
    const { file, http } = this.#stage;
    let onWait: (() => void) | undefined;
    if (source === 'file') onWait = file.tell(this.#linesOf(mode), this.#freshStory(), lie.file);
    else http.tell(this.#telling((of) => this.#linesOf(of), lie.http));
    const options = lie.options === undefined || action === 'delta' ? action : `${action} ${lie.options}`;
    const more = partOfDiff ? { SYNCRATOR_PART_OF: 'diff' } : {};
    return await this.#run(options, { ...lie.environment, ...more }, (line) => {
      if (line.includes('was written recently: waiting')) onWait?.();
    });
  }

  async honestly(action: string, rows: readonly Row[], proven = true): Promise<Ended> {
    const { file, http } = this.#stage;
    if (this.#given.source === 'file') file.tell(honestly(rows), this.#story, undefined, proven);
    else
      http.tell({
        ...this.#telling(
          () => honestly(rows),
          proven ? undefined : (answer) => void (answer.frame = 'close'),
        ),
        answering: rows.map(honest),
      });
    return await this.#run(action);
  }

  #telling(lines: Telling['lines'], http: HttpTold | undefined): Telling {
    return { lines, answering: this.#answering, http, chosen: this.chosen };
  }

  async #run(
    options: string,
    more: Record<string, string> = {},
    onLine?: (line: string) => void,
  ): Promise<Ended> {
    const { runner, http, file, sink } = this.#stage;
    const source: Record<string, string> =
      this.#given.source === 'http' ? { SOURCE_URL: http.url } : { SOURCE_FILE: file.path };
    const environment = {
      SOURCE: 'ndjson',
      ...sink.environment,
      ...source,
      ...more,
    };
    // Batches and lanes of several sizes.
    return await runner.run(
      `${options} -n ${10 + this.chosen * 30} -c ${1 + (this.chosen % 3)}`,
      environment,
      onLine,
    );
  }

  /** Chosen per case, and the same in each repetition. */
  #freshStory(): Story {
    return { ...this.#story, random: createRandom(this.#given.seed + 1) };
  }

  #linesOf(mode: Mode): readonly Line[] {
    const known = this.#lines.get(mode);
    const lines = known ?? this.#given.lie.lines?.(this.#freshStory(), mode) ?? honestly(this.#story.next);
    this.#lines.set(mode, lines);
    return lines;
  }

  /** A server tells a delta only recent changes; a file contains everything. */
  #seen(mode: Mode): readonly Line[] {
    const lines = this.#linesOf(mode);
    if (mode !== 'changes' || this.#given.source === 'file') return lines;
    const since = Date.now() - HOUR_MS;
    return lines.filter(({ row }) => Date.parse(row.updated_at) >= since);
  }
}

function lastOfEach(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
