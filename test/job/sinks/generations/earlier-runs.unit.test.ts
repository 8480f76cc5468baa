/** The figures of earlier runs in a stored state: how many stay, and which a rollback or an undone switch takes out. */
import { expect, test } from 'vitest';
import {
  type EarlierRuns,
  figuresOf,
  runsBefore,
  withoutRun,
  withRun,
} from '../../../../src/job/sinks/generations/earlier-runs.ts';
import type { Step } from '../../../../src/job/sinks/generations/state-parts.ts';
import { EMPTY as OPENSEARCH, stateSchema } from '../../../../src/job/sinks/opensearch/state.ts';
import { inPieces, joined } from '../../../../src/job/sinks/solr/state-store.ts';
import { EMPTY as SOLR, parseState } from '../../../../src/job/sinks/solr/state.ts';
import { NOTHING_APPLIED } from '../../../../src/job/sinks/sink.ts';

const APPLIED = { ...NOTHING_APPLIED, live: 1_000_000, listed: 1_000_000, removed: 3 };
const MEASURED = { ...APPLIED, bytes: 123_456_789_012, seconds: 3_600 };
/** An hourly sync, and a delete ten minutes after it. */
const at = (hour: number, minute = 0): string => new Date(Date.UTC(2026, 0, 1, hour, minute)).toISOString();

function hourly(hours: number): EarlierRuns {
  let runs: EarlierRuns = {};
  for (let hour = 0; hour < hours; hour += 1) {
    runs = withRun(runs, { action: 'sync', at: at(hour) }, MEASURED);
    runs = withRun(runs, { action: 'delete', at: at(hour, 10) }, APPLIED);
  }
  return runs;
}

test('are the last 400 of each action, in 50 kB of a state that both sinks read', () => {
  const runs = hourly(1_000);
  const text = JSON.stringify(runs);
  expect(text.length).toBeLessThan(50_000);
  const [first] = figuresOf(runs, 'sync');
  expect(first).toEqual({
    at: new Date(at(600)),
    live: 1_000_000,
    listed: 1_000_000,
    added: 0,
    updated: 0,
    removed: 3,
    bytes: 123_456_789_012,
    seconds: 3_600,
  });
  expect(figuresOf(runs, 'sync')).toHaveLength(400);
  expect(figuresOf(runs, 'delete').at(-1)).toMatchObject({ at: new Date(at(999, 10)), bytes: null });
  expect(stateSchema.parse({ ...OPENSEARCH, earlier_runs: runs }).earlier_runs).toEqual(runs);
  const stored = joined(inPieces(JSON.stringify({ ...SOLR, earlier_runs: runs })));
  expect(parseState(JSON.parse(stored))).toMatchObject({ earlier_runs: runs });
});

test('lack a first load, and are none of another action', () => {
  expect(withRun({}, { action: 'sync', at: at(0) }, { ...APPLIED, live: 0 })).toEqual({});
  expect(figuresOf(hourly(3), 'delta')).toEqual([]);
});

test('are dropped by an earlier version, which does not know them; the state is still read', () => {
  const { earlier_runs: _, ...without } = { ...OPENSEARCH };
  expect(stateSchema.parse(without).earlier_runs).toEqual({});
});

test('end before the run that a rollback undoes', () => {
  const runs = hourly(10);
  const left = runsBefore(runs, { at: at(7) });
  expect(
    figuresOf(left, 'sync')
      .map((run) => run.at.toISOString())
      .at(-1),
  ).toBe(at(6));
  expect(
    figuresOf(left, 'delete')
      .map((run) => run.at.toISOString())
      .at(-1),
  ).toBe(at(6, 10));
  expect(runsBefore(runs, { at: at(99) })).toEqual(runs);
  expect(runsBefore(runs, null)).toEqual({});
});

test('lose the run of a switch that was not made, and none for a step that was no run', () => {
  const runs = hourly(2);
  const step = (action: string, live: number): Step => ({
    key: 'one',
    action,
    step: 0,
    origin_uid: null,
    applied: { ...NOTHING_APPLIED, live, kept: {}, rejected: [] },
  });
  expect(figuresOf(withoutRun(runs, step('sync', 5)), 'sync')).toHaveLength(1);
  expect(withoutRun(runs, step('sync', 0))).toEqual(runs);
  expect(withoutRun(runs, step('rollback', 5))).toEqual(runs);
  expect(withoutRun(runs, undefined)).toEqual(runs);
});
