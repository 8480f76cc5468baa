/** The lies of connectors: how a stream ends, and which records it tells. */

import type { ConnectorPlace, Protocol } from './connector-place.ts';
import { always, READ, UNPROVEN, but } from './lie.ts';
import type { Fate } from './model.ts';
import { LATE, PART, REJECTED, type RowLie, TOLD_ROWS, WRONG } from './row-lie.ts';
import { CANARY } from './story.ts';

export type ConnectorLie = RowLie<ConnectorPlace> & { readonly of: readonly Protocol[] };

const BOTH: readonly Protocol[] = ['airbyte', 'singer'];

const fault = (
  name: string,
  of: readonly Protocol[],
  fate: Fate | RowLie['fate'],
  more: Partial<ConnectorLie> = {},
): ConnectorLie => ({
  name: `a connector: ${name}`,
  of,
  fate: typeof fate === 'function' ? fate : always(fate),
  tell: ({ config }) => void (config['fault'] = name),
  ...more,
});

const lines = (
  name: string,
  of: readonly Protocol[],
  fate: Fate | RowLie['fate'],
  written: readonly string[],
): ConnectorLie => fault(name, of, fate, { tell: ({ config }) => void (config['lines'] = written) });

const airbyteRecord = (data: object): string =>
  JSON.stringify({ type: 'RECORD', record: { stream: 'places', data, emitted_at: 1 } });
const singerRecord = (record: object): string => JSON.stringify({ type: 'RECORD', stream: 'places', record });
const nameless = { name: CANARY, updated_at: '2026-11-01T00:00:00Z' };

const ENDS: readonly ConnectorLie[] = [
  fault('incomplete', ['airbyte'], PART),
  fault('no status', ['airbyte'], PART),
  fault('exit 1', BOTH, PART),
  fault('cut', ['airbyte'], PART),
  fault('crash', ['airbyte'], PART),
  fault('lost', ['airbyte'], PART),
  fault('killed', ['airbyte'], PART),
  fault('refused', ['airbyte'], WRONG),
  fault('nothing', ['singer'], PART),
  fault('hang', ['airbyte'], LATE, { environment: { CONNECTOR_SILENCE: '3s' } }),
];

const MESSAGES: readonly ConnectorLie[] = [
  fault('noise', ['airbyte'], READ),
  fault('flood', ['airbyte'], READ),
  lines('a record without an id', ['airbyte'], REJECTED, [airbyteRecord(nameless)]),
  lines('a record without an id of a tap', ['singer'], REJECTED, [singerRecord(nameless)]),
  // A delete reads ids alone.
  lines('a record without a time', ['airbyte'], (mode) => (mode === 'ids' ? READ : REJECTED), [
    airbyteRecord({ id: 'new', name: CANARY }),
  ]),
];

const READINGS: readonly ConnectorLie[] = [
  {
    name: 'removed records come back with the second reading',
    of: BOTH,
    fate: always(READ),
    answers: ({ removed }) => removed,
    tell: (place, { next, removed }) => place.tellAgain([...next, ...removed]),
  },
  {
    name: 'exit code 0 proves nothing without CONNECTOR_EXIT_COMPLETE',
    of: ['singer'],
    fate: but(UNPROVEN, 'changes'),
    tell: ({ settings }) => void delete settings['CONNECTOR_EXIT_COMPLETE'],
  },
];

export const OF_CONNECTORS: readonly ConnectorLie[] = [
  ...(TOLD_ROWS as readonly RowLie<ConnectorPlace>[]).map((told) => ({ ...told, of: BOTH })),
  ...ENDS,
  ...MESSAGES,
  ...READINGS,
];
