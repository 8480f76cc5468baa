/** Calls about losses: what waits for an answer, its records, and the answers. */
import type { paths } from '../api-types.ts';
import { type Answer, type Http, nextPage } from '../http.ts';
import { filled } from '../query.ts';
import type { KeepBody, LossJson, LossRecordJson } from '../types.ts';

export type LossFilter = {
  readonly env?: string | undefined;
  readonly target?: string | undefined;
  /** `waiting` by default. */
  readonly status?: 'waiting' | 'resolved' | 'all' | undefined;
  readonly limit?: number | undefined;
};

export type LossPage = { readonly losses: readonly LossJson[]; readonly next: string | undefined };

export type RecordFilter = {
  /** Only ids that contain this text. */
  readonly id?: string | undefined;
  /** Only ids behind this one. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
};

export type LossRecordPage = {
  readonly records: readonly LossRecordJson[];
  readonly next: string | undefined;
};

export function lossCalls({ call }: Http) {
  return {
    listLosses: async (filter: LossFilter = {}): Promise<LossPage> =>
      pageOf(await call((routes) => routes.GET('/losses', { params: { query: queryOf(filter) } }))),
    /** @param next `next` of a page of losses */
    nextLosses: async (next: string): Promise<LossPage> =>
      pageOf(await call((routes) => routes.GET('/losses', { querySerializer: searchOf(next) }))),
    showLoss: async (id: number) =>
      (await call((routes) => routes.GET('/losses/{id}', { params: { path: { id } } }))).data,
    lossRecords: async (id: number, filter: RecordFilter = {}): Promise<LossRecordPage> => {
      const params = { path: { id }, query: filled(filter) };
      return recordsOf(await call((routes) => routes.GET('/losses/{id}/records', { params })));
    },
    /** @param next `next` of a page of the records of this loss */
    nextLossRecords: async (id: number, next: string): Promise<LossRecordPage> => {
      const options = { params: { path: { id } }, querySerializer: searchOf(next) };
      return recordsOf(await call((routes) => routes.GET('/losses/{id}/records', options)));
    },
    /** @param digest of the loss as the person has seen it: for another set the answer is a refusal */
    approveLoss: async (id: number, answer: { readonly digest: string; readonly reason: string }) => {
      const params = { path: { id } };
      return (await call((routes) => routes.POST('/losses/{id}/approve', { params, body: answer }))).data;
    },
    /** Keeps some records, or all that wait: they are not proposed again for some days. */
    keepLoss: async (id: number, answer: KeepBody) => {
      const params = { path: { id } };
      return (await call((routes) => routes.POST('/losses/{id}/keep', { params, body: answer }))).data;
    },
  };
}

type LossQuery = NonNullable<paths['/losses']['get']['parameters']['query']>;

function queryOf(filter: LossFilter): LossQuery {
  return filled({ ...filter });
}

function searchOf(next: string): () => string {
  return () => new URL(next, 'http://page').search;
}

function pageOf({ data, response }: Answer<LossJson[]>): LossPage {
  return { losses: data, next: nextPage(response) };
}

function recordsOf({ data, response }: Answer<LossRecordJson[]>): LossRecordPage {
  return { records: data, next: nextPage(response) };
}
