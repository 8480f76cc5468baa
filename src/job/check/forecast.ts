/** Says what a sync would do, by the numbers of records alone: nothing is compared record by record. Pure. */
import { deleteVerdict } from '../../domain/guard.ts';
import type { SinkLook } from '../sinks/sink.ts';

export type Forecast = {
  /** The delete guard would refuse the sync. */
  readonly refused: boolean;
  readonly text: string;
};

type Limits = {
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  readonly force: boolean;
};

/** @param total records of the source; null: it does not tell */
export function forecastOf(total: number | null, sink: SinkLook, limits: Limits): Forecast {
  const { live, synced } = sink;
  const sync = synced ? 'a sync' : 'the first sync';
  if (total === null)
    return {
      refused: false,
      text: `${sync} finds ${records(live)} in the sink; how many it adds and removes is unknown, because the source does not tell its number of records`,
    };
  const kept = limits.force ? 0 : sink.kept;
  const missing = Math.max(0, live - total - kept);
  const verdict = deleteVerdict({ live, source: total, removals: missing, ...limits });
  const isHeld = !verdict.allowed && verdict.mayWait && sink.held !== undefined;
  if (!verdict.allowed && !isHeld) {
    const fix = total === 0 ? 'find out why it lists nothing' : 'find out why the source has fewer records';
    return {
      refused: true,
      text: `${sync} would change nothing, because the delete guard refuses it: ${verdict.why}; ${fix}`,
    };
  }
  if (!sink.exists) return allowed(`${sync} creates it, and adds up to ${records(total)}`);
  if (live === 0) return allowed(`${sync} adds up to ${records(total)}`);
  const adds = `adds at least ${records(Math.max(0, total - live))}`;
  const compares = `${sync} compares ${records(total)} of the source with ${records(live)} of the sink, ${adds}`;
  if (!verdict.allowed)
    return allowed(
      `${compares}, and would hold at least ${removals(missing)}, which then wait for an answer: ${verdict.why}`,
    );
  if (kept === live)
    return allowed(
      `${compares}, and removes none: those that the source lacks stay, because they were there before`,
    );
  const held = limits.force ? 0 : Math.min(missing, sink.held ?? 0);
  const stay = held > 0 ? `; ${removals(held)} wait for an answer already` : '';
  return allowed(
    `${compares}, and removes at least ${records(missing - held)}, which the delete guard allows${stay}`,
  );
}

function allowed(text: string): Forecast {
  return { refused: false, text };
}

function removals(count: number): string {
  return count === 1 ? '1 removal' : `${count} removals`;
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}
