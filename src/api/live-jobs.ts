/** Jobs as they change, for any number of listeners: one read and one text of each change, whoever hears it. */
import type { Config } from '../config.ts';
import type { Change, Changes } from '../db/changes.ts';
import { databaseTime } from '../db/clock.ts';
import { listChangedJobs, readJobViews } from '../db/job-views.ts';
import type { Db } from '../db/schema.ts';
import type { Log } from '../log.ts';
import type { Measures } from './context.ts';
import { frameOf } from './event-streams.ts';
import { toJob } from './job-json.ts';

/** Changes within so long are read together. */
const GATHER_MS = 40;
const AGAIN_MS = 500;
const MOST_AT_ONCE = 100;
/** Jobs that wait for one listener at most; who is further behind reads all anew. */
const BACKLOG = 256;
/** Commits come out of the order of their times, but not by more than this. */
const OVERLAP_MS = 30_000;

/** A job's snapshot as it is sent. */
export type Snapshot = {
  readonly id: number;
  readonly version: number;
  readonly isFinal: boolean;
  /** By Postgres' clock. */
  readonly changedAt: Date;
  /** The event as every listener is sent it. */
  readonly frame: string;
};

/** What a listener has not yet been sent; the newest snapshot of a job replaces the one before it. */
export class Backlog {
  /** The one job that it wants to hear of; undefined for all. */
  readonly only: number | undefined;
  readonly #jobs = new Map<number, Snapshot>();
  #tooMuch = false;
  #maintenance = false;
  #wake: (() => void) | undefined;

  constructor(only: number | undefined) {
    this.only = only;
  }

  add(snapshot: Snapshot): void {
    if (this.only !== undefined && snapshot.id !== this.only) return;
    const before = this.#jobs.get(snapshot.id);
    if (before && before.version > snapshot.version) return;
    this.#jobs.set(snapshot.id, snapshot);
    if (this.#jobs.size > BACKLOG) this.overflow();
    this.#wake?.();
  }

  /** More has changed than is kept for it. */
  overflow(): void {
    this.#jobs.clear();
    this.#tooMuch = true;
    this.#wake?.();
  }

  maintenanceChanged(): void {
    if (this.only !== undefined) return;
    this.#maintenance = true;
    this.#wake?.();
  }

  /** The jobs in the order of their changes: whoever is cut between two has missed none of before. */
  take(): { jobs: Snapshot[]; tooMuch: boolean; maintenance: boolean } {
    const jobs = [...this.#jobs.values()].toSorted((a, b) => a.version - b.version);
    const taken = { jobs, tooMuch: this.#tooMuch, maintenance: this.#maintenance };
    this.#jobs.clear();
    this.#tooMuch = false;
    this.#maintenance = false;
    return taken;
  }

  /** Settles when there is something to take. */
  filled(): Promise<void> {
    if (this.#jobs.size > 0 || this.#tooMuch || this.#maintenance) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

type Deps = {
  readonly config: Config;
  readonly db: Db;
  readonly log: Log;
  readonly changes: Changes;
  readonly stopping?: AbortSignal;
  readonly measures?: Measures | undefined;
};

export class LiveJobs {
  readonly #deps: Deps;
  readonly #listeners = new Set<Backlog>();
  readonly #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  /** When anything was last heard, by Postgres' clock; what came later is asked for after a lost connection. */
  #heardAt: Date;
  #missedSince: Date | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#heardAt = databaseTime(deps.db);
    deps.changes.subscribe((change) => this.#hear(change));
    deps.stopping?.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** Hears from now on, until it is disposed of. */
  listen(only?: number): Backlog & Disposable {
    const backlog = new Backlog(only);
    this.#listeners.add(backlog);
    return Object.assign(backlog, { [Symbol.dispose]: () => this.#listeners.delete(backlog) });
  }

  /** Fills a backlog of all jobs with everything that has changed since, and a little before. */
  async catchUp(backlog: Backlog, since: Date): Promise<void> {
    const ids = await this.#changedSince(since);
    if (ids.length > BACKLOG) {
      backlog.overflow();
      return;
    }
    for (const snapshot of await this.read(ids)) backlog.add(snapshot);
    backlog.maintenanceChanged();
  }

  async read(ids: readonly number[]): Promise<Snapshot[]> {
    const { db, config } = this.#deps;
    const snapshots: Snapshot[] = [];
    for (let from = 0; from < ids.length; from += MOST_AT_ONCE) {
      const now = databaseTime(db);
      for (const view of await readJobViews(db, ids.slice(from, from + MOST_AT_ONCE)))
        snapshots.push({
          id: view.id,
          version: view.version,
          isFinal: view.finished_at !== null,
          changedAt: view.updated_at,
          frame: frameOf({
            event: 'job',
            // For Last-Event-ID: when it changed, in milliseconds since 1970, by Postgres.
            id: String(view.updated_at.getTime()),
            json: JSON.stringify(toJob(view, config, now)),
          }),
        });
    }
    return snapshots;
  }

  #hear(change: Change): void {
    if (change.kind === 'connected') {
      this.#missedSince ??= this.#heardAt;
    } else {
      this.#heardAt = databaseTime(this.#deps.db);
      if (change.kind === 'job') this.#changed.add(change.id);
      else for (const listener of this.#listeners) listener.maintenanceChanged();
    }
    this.#soon(GATHER_MS);
  }

  #soon(ms: number): void {
    if (this.#reading || this.#deps.stopping?.aborted === true) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#tell();
    }, ms);
  }

  /** A flood is not read: who listens to all is told that it is too much, who listens to one job still hears of it. */
  #takeChanged(): number[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    if (changed.length <= BACKLOG) return changed;
    const wanted = new Set<number>();
    for (const listener of this.#listeners)
      if (listener.only === undefined) listener.overflow();
      else wanted.add(listener.only);
    return changed.filter((id) => wanted.has(id));
  }

  /** What changed while nothing was heard is told as if it were heard now: read once, whoever listens. */
  async #takeMissed(since: Date): Promise<void> {
    for (const id of await this.#changedSince(since)) this.#changed.add(id);
    for (const listener of this.#listeners)
      if (listener.only === undefined) listener.maintenanceChanged();
      else this.#changed.add(listener.only);
  }

  /** More than a backlog holds when there are more. */
  async #changedSince(since: Date): Promise<number[]> {
    return await listChangedJobs(this.#deps.db, new Date(since.getTime() - OVERLAP_MS), BACKLOG + 1);
  }

  /** Reads what has changed, once, and hands it to everybody. A fault keeps all for the next try. */
  async #tell(): Promise<void> {
    const since = this.#missedSince;
    this.#missedSince = undefined;
    this.#reading = true;
    let ids: readonly number[] = [];
    let pauseMs = GATHER_MS;
    try {
      if (since && this.#listeners.size > 0) await this.#takeMissed(since);
      ids = this.#takeChanged();
      if (this.#listeners.size > 0)
        for (const snapshot of await this.read(ids)) {
          for (const listener of this.#listeners) listener.add(snapshot);
          const lagMs = databaseTime(this.#deps.db).getTime() - snapshot.changedAt.getTime();
          this.#deps.measures?.eventSent(lagMs / 1000);
        }
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'changes cannot be read yet');
      for (const id of ids) this.#changed.add(id);
      // What was missed first is the longer of the two: the connection may have been lost again meanwhile.
      this.#missedSince = since ?? this.#missedSince;
      pauseMs = AGAIN_MS;
    } finally {
      this.#reading = false;
    }
    if (this.#changed.size > 0 || this.#missedSince) this.#soon(pauseMs);
  }
}
