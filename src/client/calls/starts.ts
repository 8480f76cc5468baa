/** Calls that start a job, and dry runs that show what would start. */
import { type Http, reasonHeader } from '../http.ts';
import { filled, flag } from '../query.ts';
import type { QueuedStartJson, RunBody, StartedJson } from '../types.ts';
import { keyHeader } from './jobs.ts';

export type Action = 'sync' | 'delta' | 'delete' | 'diff';

export type RollbackTo = {
  /** The first job to undo, together with all later ones. */
  readonly before?: number;
  /** Restores only these records, at most 50. */
  readonly ids?: string[];
  /** Restores only the records that the job `before` changed. */
  readonly only?: boolean;
  /** Changes nothing: the job's `rollback_preview` shows what would change. */
  readonly preview?: boolean;
  /** The digest of a preview; the job fails if it would do anything else. */
  readonly expect?: string;
};

export type StartOptions = {
  /** Starts it although PROMOTE_FROM asks for a run that is missing; for admins. */
  readonly unpromoted?: boolean | undefined;
};

/** With QUEUE=one and a busy target the start is remembered: `result` is `queued`, and there is no job yet. */
export type Start = StartedJson | QueuedStartJson;

export function startCalls({ call }: Http) {
  return {
    dryRun: async (action: Action, target: string, env: string) => {
      const params = { path: { target, env } };
      return (await call((routes) => routes.GET(`/${action}/{target}/{env}`, { params }))).data;
    },
    start: async (
      action: Action,
      target: string,
      env: string,
      idempotencyKey?: string,
      { unpromoted }: StartOptions = {},
    ): Promise<Start> => {
      const query = filled({ unpromoted: flag(unpromoted) });
      const params = { path: { target, env }, query, header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST(`/${action}/{target}/{env}`, { params }))).data;
    },
    dryRunOf: async (run: RunBody) => (await call((routes) => routes.POST('/dryrun', { body: run }))).data,
    run: async (run: RunBody, idempotencyKey?: string, { unpromoted }: StartOptions = {}): Promise<Start> => {
      const params = { query: filled({ unpromoted: flag(unpromoted) }), header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/run', { params, body: run }))).data;
    },
    /** The start that is remembered until the target is free; Refused (404) if none is. */
    showNext: async (target: string, env: string) =>
      (await call((routes) => routes.GET('/next/{target}/{env}', { params: { path: { target, env } } })))
        .data,
    /** @param uid cancels it only if it still is this one */
    cancelNext: async (target: string, env: string, uid?: string) => {
      const params = { path: { target, env }, query: filled({ uid }) };
      return (await call((routes) => routes.DELETE('/next/{target}/{env}', { params }))).data;
    },
    /** Goes back to before `to.before`, or to before the last sync. */
    rollback: async (target: string, env: string, to: RollbackTo = {}, idempotencyKey?: string) => {
      const params = { path: { target, env }, header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/rollback/{target}/{env}', { params, body: to }))).data;
    },
    /** Erases the earlier values of records for good; live records stay. */
    forget: async (target: string, env: string, ids: string[], reason?: string) => {
      const params = { path: { target, env }, header: reasonHeader(reason) };
      return (await call((routes) => routes.POST('/forget/{target}/{env}', { params, body: { ids } }))).data;
    },
    /** Lets a job tell what the history knows of a record; it changes nothing. */
    story: async (target: string, env: string, id: string) => {
      const params = { path: { target, env } };
      return (await call((routes) => routes.POST('/story/{target}/{env}', { params, body: { id } }))).data;
    },
    /** The story that a job told; kept for 7 days. */
    storyOfJob: async (id: number) =>
      (await call((routes) => routes.GET('/jobs/{id}/story', { params: { path: { id } } }))).data,
    /** Makes this installation the owner of the target's sink; no rollback goes back to before that. */
    takeOver: async (target: string, env: string, reason?: string) => {
      const params = { path: { target, env }, header: reasonHeader(reason) };
      return (await call((routes) => routes.POST('/take-over/{target}/{env}', { params }))).data;
    },
  };
}
