/** The findings of a check. */
import type { Fault } from '../fault.ts';
import type { SinkLook } from '../sinks/sink.ts';
import type { RejectedRecord, SourceRecord } from '../sources/source.ts';
import type { Forecast } from './forecast.ts';

export type SourceFindings = {
  readonly place: string;
  /** null: the source does not tell. */
  readonly total: number | null;
  /** The first ones, as the sink would get them. */
  readonly records: readonly SourceRecord[];
  readonly rejected: readonly RejectedRecord[];
};

export type SinkFindings = { readonly place: string } & SinkLook;

export type Findings = {
  readonly source: SourceFindings | Fault;
  readonly sink: SinkFindings | Fault;
  /** null if source or sink has a fault. */
  readonly forecast: Forecast | null;
};

export function isFault(part: object): part is Fault {
  return 'fault' in part;
}
