/** Feeds changed jobs to any number of listeners: each change is read and formatted once. */
import type { Config } from '../../config/config.ts';
import type { Change, Changes } from '../../db/changes.ts';
import { databaseTime } from '../../db/clock.ts';
import { listChangedJobs, readJobViews } from '../../db/views/job-views.ts';
import type { Db } from '../../db/schema.ts';
import type { Log } from '../../log.ts';
import type { Measures } from '../context.ts';
import { frameOf } from './event-streams.ts';
import { toJob } from '../jobs/job-json.ts';

/** Changes within this time are read together. */
const GATHER_MS = 40;
const AGAIN_MS = 500;
const MOST_AT_ONCE = 100;
/** Jobs queued for one listener at most; a slower listener must read all jobs again. */
const BACKLOG = 256;
/** Commits may become visible in another order than their times, within this span. */
const OVERLAP_MS = 30_000;

/** A snapshot of a job, formatted once for all listeners. */
export type Snapshot = {
  readonly id: number;
  readonly version: number;
  readonly isFinal: boolean;
  /** By Postgres' clock. */
  readonly changedAt: Date;
  /** The formatted event. */
  readonly frame: string;
};

/** Unsent changes of one listener; a newer snapshot of a job replaces an older one. */
export class Backlog {
  /** Restricts the listener to one job; undefined for all. */
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

  /** Drops all queued jobs: the listener must read all jobs again. */
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

  /** Takes the jobs in the order of their changes, so that a reader cut off between two has missed no earlier one. */
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

export class JobFeed {
  readonly #deps: Deps;
  readonly #listeners = new Set<Backlog>();
  readonly #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  /** Time of the last notification, by the clock of Postgres; after a lost connection, later changes are read from it. */
  #heardAt: Date;
  #missedSince: Date | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#heardAt = databaseTime(deps.db);
    deps.changes.subscribe((change) => this.#hear(change));
    deps.stopping?.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** Listens until the backlog is disposed of. */
  listen(only?: number): Backlog & Disposable {
    const backlog = new Backlog(only);
    this.#listeners.add(backlog);
    return Object.assign(backlog, { [Symbol.dispose]: () => this.#listeners.delete(backlog) });
  }

  /** Adds all jobs changed since a time, and a little before it, to a backlog of all jobs. */
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

  /** Skips reading a flood: listeners to all jobs overflow, listeners to one job still get it. */
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

  /** Adds the jobs that changed while the connection was lost; they are read once for all listeners. */
  async #takeMissed(since: Date): Promise<void> {
    for (const id of await this.#changedSince(since)) this.#changed.add(id);
    for (const listener of this.#listeners)
      if (listener.only === undefined) listener.maintenanceChanged();
      else this.#changed.add(listener.only);
  }

  /** Ids of jobs changed since a time; one more than a backlog holds if there are more. */
  async #changedSince(since: Date): Promise<number[]> {
    return await listChangedJobs(this.#deps.db, new Date(since.getTime() - OVERLAP_MS), BACKLOG + 1);
  }

  /** Reads the changed jobs once and adds them to all backlogs. After an error all of them are tried again. */
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
      this.#deps.log.warn({ err: error }, 'cannot read changes; retrying');
      for (const id of ids) this.#changed.add(id);
      // Keeps the earlier time: the connection may have been lost again meanwhile.
      this.#missedSince = since ?? this.#missedSince;
      pauseMs = AGAIN_MS;
    } finally {
      this.#reading = false;
    }
    if (this.#changed.size > 0 || this.#missedSince) this.#soon(pauseMs);
  }
}
