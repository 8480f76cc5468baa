/** Calls about plans: make one, look at what it would change, and apply it. */
import type { paths } from '../api-types.ts';
import { type Answer, type Http, nextPage } from '../http.ts';
import { filled, flag } from '../query.ts';
import type { PlanJson, PlanRecordJson } from '../types.ts';
import { keyHeader } from './jobs.ts';
import type { StartOptions } from './starts.ts';

export type PlanFilter = {
  readonly env?: string | undefined;
  readonly target?: string | undefined;
  readonly state?: PlanJson['state'] | undefined;
  readonly limit?: number | undefined;
};

export type PlanPage = { readonly plans: readonly PlanJson[]; readonly next: string | undefined };

export type PlanRecordFilter = {
  readonly kind?: PlanRecordJson['kind'] | undefined;
  /** Only ids that contain this text. */
  readonly id?: string | undefined;
  readonly limit?: number | undefined;
};

export type PlanRecordPage = {
  readonly records: readonly PlanRecordJson[];
  readonly next: string | undefined;
};

export function planCalls({ call }: Http) {
  return {
    /** Starts a job that plans an action. @returns its id is that of the plan */
    plan: async (
      action: string,
      target: string,
      env: string,
      idempotencyKey?: string,
      { unpromoted }: StartOptions = {},
    ) => {
      const query = filled({ unpromoted: flag(unpromoted) });
      const params = { path: { action, target, env }, query, header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/plan/{action}/{target}/{env}', { params }))).data;
    },
    listPlans: async (filter: PlanFilter = {}): Promise<PlanPage> => {
      const query: PlanQuery = filled({ ...filter });
      const { data, response } = await call((routes) => routes.GET('/plans', { params: { query } }));
      return { plans: data, next: nextPage(response) };
    },
    showPlan: async (id: number) =>
      (await call((routes) => routes.GET('/plans/{id}', { params: { path: { id } } }))).data,
    planRecords: async (id: number, filter: PlanRecordFilter = {}): Promise<PlanRecordPage> => {
      const query: RecordQuery = filled({ ...filter });
      const params = { path: { id }, query };
      return recordsOf(await call((routes) => routes.GET('/plans/{id}/records', { params })));
    },
    /** @param next `next` of a page of the records of this plan */
    nextPlanRecords: async (id: number, next: string): Promise<PlanRecordPage> => {
      const querySerializer = () => new URL(next, 'http://page').search;
      const options = { params: { path: { id } }, querySerializer };
      return recordsOf(await call((routes) => routes.GET('/plans/{id}/records', options)));
    },
    /** @param digest of the plan as the person has seen it, at least its first 16 digits */
    applyPlan: async (
      id: number,
      digest: string,
      idempotencyKey?: string,
      { unpromoted }: StartOptions = {},
    ) => {
      const query = filled({ unpromoted: flag(unpromoted) });
      const params = { path: { id }, query, header: keyHeader(idempotencyKey) };
      return (await call((routes) => routes.POST('/plans/{id}/apply', { params, body: { digest } }))).data;
    },
  };
}

type PlanQuery = NonNullable<paths['/plans']['get']['parameters']['query']>;
type RecordQuery = NonNullable<paths['/plans/{id}/records']['get']['parameters']['query']>;

function recordsOf({ data, response }: Answer<PlanRecordJson[]>): PlanRecordPage {
  return { records: data, next: nextPage(response) };
}
