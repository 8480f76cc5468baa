/** The findings of a check as lines for people. Pure. */
import { maskCredentials } from '../../domain/mask.ts';
import { type Findings, isFault, type SinkFindings, type SourceFindings } from './findings.ts';

/** Characters of a record that are shown. */
const MOST = 300;

export function wordsOf({ source, sink, forecast }: Findings): string[] {
  // Settings that cannot be read concern both.
  if (isFault(source) && source === sink) return [line('failed', 'settings', source.fault)];
  return [
    ...(isFault(source) ? [line('failed', 'source', source.fault)] : sourceWords(source)),
    ...(isFault(sink) ? [line('failed', 'sink', sink.fault)] : sinkWords(sink)),
    ...(forecast === null ? [] : [line(forecast.refused ? 'failed' : 'ok', 'sync', forecast.text)]),
  ];
}

function sourceWords({ place, total, records, rejected }: SourceFindings): string[] {
  const count = total === null ? 'an unknown number of records' : `${total} records`;
  return [
    line('ok', 'source', `${place}: ${count}; the first ${records.length}, as the sink would get them:`),
    ...records.map((record) => `  ${cut(JSON.stringify(record))}`),
    ...rejected.map(({ where, why }) => `  rejected: ${where}: ${why}`),
  ].map(harmless);
}

function sinkWords({ place, exists, live, kept, warnings, migration }: SinkFindings): string[] {
  const content = exists ? `${live} records` : 'does not exist yet';
  const stay = kept > 0 ? `; ${kept} of them stay also if the source lacks them` : '';
  return [
    line('ok', 'sink', `${place}: ${content}${stay}`),
    ...(migration === undefined ? [] : [harmless(`  a sync ${migration}`)]),
    ...warnings.map((text) => `  warning: ${text}`),
  ];
}

function line(state: 'ok' | 'failed', part: string, text: string): string {
  return harmless(`${state.padEnd(6)}  ${part}: ${maskCredentials(text)}`);
}

function cut(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

/** Each finding is one line, and moves no cursor of a terminal. */
function harmless(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
