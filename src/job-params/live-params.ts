/**
 * Keeps the params files of a folder current without a restart, all or nothing: a fault in any file leaves the whole
 * last good state in use until the files are good again.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { changesBetween, type ParamsChanges } from './changes.ts';
import { fingerprintOf } from './fingerprint.ts';
import {
  checkJobParams,
  faultText,
  JobParams,
  JobParamsError,
  type ParamsFault,
  type ParamsFile,
} from './load.ts';

export type Reloaded =
  | { readonly kind: 'loaded'; readonly changes: ParamsChanges }
  | { readonly kind: 'faulty'; readonly faults: readonly ParamsFault[] };

/** Why params that are good by themselves must not be used: a setting names a target that they lack. */
type FaultOf = (params: JobParams) => string | undefined;
type Listener = (reloaded: Reloaded) => void;

type Read = { readonly files: readonly ParamsFile[]; readonly faults: readonly ParamsFault[] };

/** How often the folder is looked at; the documentation promises a few seconds. */
export const LOOK_MS = 2_000;
/** Files that still change, as during a copy, are read when they have rested for this long. */
const REST_MS = 250;
/** How often files that change while they are read are read again: for some seconds. */
const MOST_READS = 20;

export class LiveParams {
  /** Always the same object, whose content a reload replaces. */
  readonly params = new JobParams([]);
  readonly #dir: string;
  readonly #faultOf: FaultOf | undefined;
  readonly #listeners: Listener[] = [];
  /** The fingerprint of the files that were last read; undefined to read them again with the next look. */
  #seen: string | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(dir: string, faultOf: FaultOf | undefined) {
    this.#dir = dir;
    this.#faultOf = faultOf;
  }

  /** @throws JobParamsError for the first fault: at the start there is no last good state to fall back on */
  static async open(dir: string, faultOf?: FaultOf): Promise<LiveParams> {
    const live = new LiveParams(dir, faultOf);
    const { files, faults } = await live.#read();
    if (faults[0]) throw new JobParamsError(faultText(faults[0]));
    live.params.replace(files);
    return live;
  }

  /** @param listener called after each reload that changed something, or found other faults than the one before */
  onNews(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Reads the files again. Never rejects: a folder that cannot be read is a fault like that of a file. */
  async reload(): Promise<Reloaded> {
    const reloaded = this.#queue.then(() => this.#reload());
    this.#queue = reloaded;
    return await reloaded;
  }

  /** Looks for changed files until the signal aborts, and reads them again. */
  async watch(signal: AbortSignal, lookMs = LOOK_MS): Promise<void> {
    const pause = (ms: number) => wait(ms, undefined, { signal }).catch(() => undefined);
    for (; !signal.aborted; await pause(lookMs)) {
      let now = await fingerprintOf(this.#dir);
      if (now === this.#seen) continue;
      for (let before; before !== now && !signal.aborted; now = await fingerprintOf(this.#dir)) {
        before = now;
        await pause(REST_MS);
      }
      if (!signal.aborted) await this.reload();
    }
  }

  async #reload(): Promise<Reloaded> {
    const { files, faults } = await this.#read().catch((error: unknown) => {
      this.#seen = undefined;
      return { files: [], faults: [this.#faultOfAll(reasonOf(error))] };
    });
    const before = { files: this.params.files, faults: this.params.faults };
    if (faults.length > 0) {
      this.params.keepDespite(faults);
      return this.#tell({ kind: 'faulty', faults }, wordsOf(faults) !== wordsOf(before.faults));
    }
    this.params.replace(files);
    const changes = changesBetween(before.files, files);
    const isChanged = Object.values(changes).some(({ length }) => length > 0);
    return this.#tell({ kind: 'loaded', changes }, isChanged || before.faults.length > 0);
  }

  #tell(reloaded: Reloaded, isNews: boolean): Reloaded {
    if (isNews) for (const listener of this.#listeners) listener(reloaded);
    return reloaded;
  }

  /** Reads all files, and judges them as a whole. @throws Error for files that cannot be read */
  async #read(): Promise<Read> {
    const read = await this.#readOneState();
    if (read.faults.length > 0) return read;
    const fault = this.#isSuddenlyEmpty(read)
      ? 'has no params file any more; restart api and worker if this is meant'
      : this.#faultOf?.(new JobParams(read.files));
    return fault === undefined ? read : { files: [], faults: [this.#faultOfAll(fault)] };
  }

  /** Files that change while they are read would be some of an older and some of a newer state: they are read again. */
  async #readOneState(): Promise<Read> {
    for (let reads = 1; ; reads += 1) {
      const before = await fingerprintOf(this.#dir);
      this.#seen = before;
      const [read] = await Promise.allSettled([checkJobParams(this.#dir)]);
      if ((await fingerprintOf(this.#dir)) === before) {
        if (read.status === 'rejected') throw read.reason;
        return read.value;
      }
      if (reads === MOST_READS)
        return { files: [], faults: [this.#faultOfAll('changes while it is read; stop what writes to it')] };
      await wait(REST_MS);
    }
  }

  /** An unmounted folder is empty, too. Without params files all schedules would be removed, and their pauses forgotten. */
  #isSuddenlyEmpty({ files }: Read): boolean {
    return files.length === 0 && this.params.files.length > 0;
  }

  #faultOfAll(fault: string): ParamsFault {
    return { file: path.basename(this.#dir), line: null, key: null, fault };
  }
}

function wordsOf(faults: readonly ParamsFault[]): string {
  return faults.map(faultText).join('\n');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
