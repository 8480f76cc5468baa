/** The demo's records in their present state: lists them in the terms of the NDJSON protocol, and changes them. */

import { type City, readCities } from './cities.ts';
import type { DemoState } from './files.ts';

const BASE_TIME = '2025-01-01T09:30:17.000Z';

export type Row = {
  readonly id: string;
  readonly updatedAt: number;
  readonly line: string;
  readonly idLine: string;
};

export type Listing = { readonly total: number; readonly rows: readonly Row[]; readonly more: boolean };

export type Records = {
  list(query: { since: number | null; after: string | null; limit: number }): Listing;
  change(counts: { change: number; remove: number }): { changed: string[]; removed: string[] };
  empty(): number;
  /**
   * Restores everything; removed records become new again.
   * @returns how many were restored
   */
  restore(): number;
};

/** @param save called with the state after each change */
export function createRecords(state: DemoState, save: (state: DemoState) => void): Records {
  const cities = readCities();
  let rows = render(cities, state);
  const commit = (): void => {
    save(state);
    rows = render(cities, state);
  };
  return {
    list({ since, after, limit }) {
      const matching = since === null ? rows : rows.filter((row) => row.updatedAt >= since);
      const start = after === null ? 0 : firstAfter(matching, after);
      const page = matching.slice(start, start + limit);
      return { total: matching.length, rows: page, more: start + page.length < matching.length };
    },
    change({ change, remove }) {
      const chosen = evenly(rows, change + remove);
      const [changed, removed] = [chosen.slice(0, change), chosen.slice(change)];
      const updated_at = new Date().toISOString();
      for (const id of changed) {
        state.changed[id] = { updated_at, revision: (state.changed[id]?.revision ?? 0) + 1 };
      }
      state.removed.push(...removed);
      commit();
      return { changed, removed };
    },
    empty() {
      const count = rows.length;
      state.emptied = true;
      commit();
      return count;
    },
    restore() {
      const before = rows.length;
      const updated_at = new Date().toISOString();
      for (const id of state.removed) {
        state.changed[id] = { updated_at, revision: state.changed[id]?.revision ?? 0 };
      }
      if (state.emptied) state.restored_at = updated_at;
      state.emptied = false;
      state.removed = [];
      commit();
      return rows.length - before;
    },
  };
}

function render(cities: readonly City[], state: DemoState): Row[] {
  if (state.emptied) return [];
  const removed = new Set(state.removed);
  const base = state.restored_at ?? BASE_TIME;
  const baseTime = Date.parse(base);
  const rows: Row[] = [];
  for (const { id, fields } of cities) {
    if (removed.has(id)) continue;
    const change = state.changed[id];
    const newer = change !== undefined && Date.parse(change.updated_at) > baseTime;
    const updated_at = newer ? change.updated_at : base;
    const name = change && change.revision > 0 ? `${fields.name} (${change.revision})` : fields.name;
    rows.push({
      id,
      updatedAt: newer ? Date.parse(updated_at) : baseTime,
      line: `${JSON.stringify({ id, updated_at, ...fields, name })}\n`,
      idLine: `{"id":"${id}"}\n`,
    });
  }
  return rows;
}

function firstAfter(rows: readonly Row[], after: string): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.id ?? '') > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** `count` ids spread over all records, at another offset each time. */
function evenly(rows: readonly Row[], count: number): string[] {
  const step = rows.length / Math.max(1, count);
  const offset = Math.random() * step;
  return Array.from({ length: Math.min(count, rows.length) }, (_, index) => {
    return rows[Math.min(rows.length - 1, Math.floor(offset + index * step))]?.id ?? '';
  }).filter((id) => id !== '');
}
