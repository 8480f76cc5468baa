/** What every part of the api is given, and what a request carries on its way through. */
import type { Config } from '../config.ts';
import type { Changes } from '../db/changes.ts';
import type { Db } from '../db/schema.ts';
import type { JobParams } from '../job-params.ts';
import type { Log } from '../log.ts';
import type { Temporal } from '../temporal/connect.ts';
import type { Oidc } from './oidc.ts';
import type { Refusals } from './refusals.ts';
import type { User } from './user.ts';

/** What is counted of requests and streams; src/metrics has it. */
export type Measures = {
  /** @param route as it is declared, with the names of its parameters */
  readonly answered: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Seconds from a change in Postgres to its event on the way to the listeners. */
  readonly eventSent: (lagSeconds: number) => void;
  /** How many event streams are open. */
  readonly streams: (open: number) => void;
};

export type ApiDeps = {
  readonly config: Config;
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  readonly log: Log;
  /** What listeners of events are told by. */
  readonly changes: Changes;
  /** How long PATCH /api/syncall waits; 30 s by default. */
  readonly accountWaitMs?: number;
  /** Aborted when the process stops: open streams end. */
  readonly stopping?: AbortSignal;
  /** None where nobody asks. */
  readonly measures?: Measures | undefined;
};

export type ApiEnv = {
  Variables: {
    requestId: string;
    config: Config;
    /** The database as this request sees it; the request's deadline watches it. */
    db: Db;
    /** Each line of it has the request and its trace. */
    log: Log;
    /** W3C: what the caller sent, gone on with, or new. */
    traceparent: string;
    /** The other issuer whose tokens count, where there is one. */
    oidc: Oidc | undefined;
    /** Where refusals are written down. */
    refusals: Refusals;
    /** Whose token it is; set on routes that need one. */
    user: User;
  };
};
