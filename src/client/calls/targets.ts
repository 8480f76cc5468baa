/** Calls about what can run: targets, schedules, and datasets ready to be imported. */
import type { Http } from '../http.ts';
import { filled, flag } from '../query.ts';

export function targetCalls({ call }: Http) {
  return {
    listTargets: async () => (await call((routes) => routes.GET('/targets'))).data,
    showTarget: async (name: string) =>
      (await call((routes) => routes.GET('/targets/{name}', { params: { path: { name } } }))).data,
    /** Tells whether the params files in use are those on disk; for operators. */
    readParams: async () => (await call((routes) => routes.GET('/params'))).data,
    /** Reads the params files again in the api that answers; throws Refused with all faults of faulty files. */
    reload: async () => (await call((routes) => routes.POST('/reload'))).data,
    listSchedules: async () => (await call((routes) => routes.GET('/schedules'))).data,
    runSchedule: async (id: string) =>
      (await call((routes) => routes.POST('/schedules/{id}/run', { params: { path: { id } } }))).data,
    pauseSchedule: async (id: string, note?: string) => {
      const body = note ? { note } : {};
      const params = { path: { id } };
      return (await call((routes) => routes.POST('/schedules/{id}/pause', { params, body }))).data;
    },
    resumeSchedule: async (id: string) =>
      (await call((routes) => routes.POST('/schedules/{id}/resume', { params: { path: { id } } }))).data,
    /**
     * `skippedCount` counts the tar files that are not datasets; `skipped` names the first ones, each with the
     * reason.
     */
    listImportableDatasets: async ({ hasMetadata }: { readonly hasMetadata?: boolean | undefined } = {}) => {
      const params = { query: filled({ hasMetadata: flag(hasMetadata) }) };
      const { data, response } = await call((routes) => routes.GET('/importable-datasets', { params }));
      const { headers } = response;
      const skipped = [...new URLSearchParams(headers.get('x-skipped') ?? '')].map(([file, why]) => ({
        file,
        why,
      }));
      return { datasets: data, skipped, skippedCount: Number(headers.get('x-skipped-count')) };
    },
    deleteImportableDataset: async (name: string) =>
      (await call((routes) => routes.DELETE('/importable-datasets/{name}', { params: { path: { name } } })))
        .data,
  };
}
