/** Types that all parts of the api share: their dependencies, and the variables of a request. Imports no part of the api but `user.ts`. */
import type { Config } from '../config/config.ts';
import type { Changes } from '../db/changes.ts';
import type { Db } from '../db/schema.ts';
import type { CredentialKind, LoginOutcome } from '../domain/logins.ts';
import type { LiveParams } from '../job-params/live-params.ts';
import type { JobParams } from '../job-params/load.ts';
import type { Log } from '../log.ts';
import type { Temporal } from '../temporal/connect.ts';
import type { Context } from 'hono';
import type { Subject, User } from './auth/user.ts';

/** Receives the measurements of requests, logins and streams; src/metrics implements it. */
export type Measures = {
  /** @param request.route as declared, with the names of its parameters */
  readonly answered: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Seconds from a change in Postgres to its event on the way to the listeners. */
  readonly eventSent: (lagSeconds: number) => void;
  /** Counts password logins by outcome. */
  readonly loggedIn: (outcome: LoginOutcome) => void;
  /** Counts unknown credentials by kind. */
  readonly credentialRefused: (kind: CredentialKind) => void;
  /** Sets the number of open event streams. */
  readonly streams: (open: number) => void;
};

/** Verifies bearer tokens of the OIDC issuer. */
export type Oidc = {
  /** Whether the token claims to be from this issuer; nothing of it is verified yet. */
  isNamedIn(token: string): boolean;
  /** Returns undefined for an invalid token. @throws Problem 401 for a user without a role, 503 without keys */
  verify(token: string, now: Date): Promise<User | undefined>;
};

/** Limits of event streams; each has a default. */
export type StreamBounds = {
  /** Open streams in this process. */
  readonly most?: number | undefined;
  /** Open streams of one user or token. */
  readonly mostOfOne?: number | undefined;
  /** Open streams of one network without tokens. */
  readonly mostOfAddress?: number | undefined;
  readonly writeMs?: number | undefined;
  readonly lookAgainMs?: number | undefined;
};

/** An audit entry of an operation. */
export type Noted = {
  readonly verb: string;
  readonly object: string;
  /** The error code of a denied request; absent for an operation that was carried out. */
  readonly refused?: string;
  readonly detail: Readonly<Record<string, unknown>>;
};
export type Denied = Noted & { readonly refused: string };

/** Writes denied requests and logins into the audit, within limits. Its methods never throw. */
export type Denials = {
  /** Audits a denied request of a known caller. */
  note(c: Context<ApiEnv, string>, subject: Subject, denied: Denied): Promise<void>;
  /** Audits a denied anonymous request; calls `denied` only if the limits allow an entry. */
  noteAnonymous(c: Context<ApiEnv, string>, denied: () => Promise<Denied> | Denied): Promise<void>;
  /** Audits a successful login. */
  noteLogin(c: Context<ApiEnv, string>, username: string): Promise<void>;
};

export type ApiDeps = {
  readonly config: Config;
  readonly db: Db;
  readonly temporal: Temporal;
  readonly params: JobParams;
  /** Reads `params` again. */
  readonly liveParams: LiveParams;
  readonly log: Log;
  /** Notifications of Postgres that wake the event streams. */
  readonly changes: Changes;
  /** How long PATCH /api/syncall waits; 30 s by default. */
  readonly accountWaitMs?: number;
  /** Overrides the default limits of event streams. */
  readonly streams?: StreamBounds;
  /** Aborted when the process stops: open streams end. */
  readonly stopping?: AbortSignal;
  /** Absent without metrics. */
  readonly measures?: Measures | undefined;
};

export type ApiEnv = {
  Variables: {
    /** Unique id of this request. */
    requestId: string;
    /** The X-Request-Id of the caller; not verified, possibly repeated. */
    clientRequestId: string | undefined;
    config: Config;
    /** The database; its queries start and stop the deadline of this request. */
    db: Db;
    /** Adds request and trace ids to each line. */
    log: Log;
    /** W3C trace context: continues that of the caller, or is new. */
    traceparent: string;
    /** The OIDC issuer, if one is configured. */
    oidc: Oidc | undefined;
    /** Absent without metrics. */
    measures: Measures | undefined;
    /** Writes denied requests into the audit. */
    denials: Denials;
    /** The caller; set only on routes that require a token. */
    user: User;
  };
};
