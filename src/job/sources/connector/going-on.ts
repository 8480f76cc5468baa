/** Where the listings of a run begin, and where the next delta goes on: by the connector's STATE. */
import type { SourceState } from '../source.ts';
import type { From } from './dialect.ts';
import { packState, unpackState } from './kept-state.ts';
import type { Spooled } from './spool.ts';

export type GoingOn = {
  /** null: listings are of everything. */
  readonly from: () => From | null;
  /** A listing begins: until its end, none can go on behind it. */
  readonly begin: () => void;
  /** A listing has ended. */
  readonly end: (read: Pick<Spooled, 'state'>) => void;
  readonly state: SourceState;
};

/** @param of.mapping fingerprint of the settings @param of.onBegin drops what was read before */
export function createGoingOn(of: {
  mapping: string;
  onBegin: () => void;
  writeLog: (line: string) => void;
}): GoingOn {
  const { mapping, onBegin, writeLog } = of;
  let from: From | null = null;
  let reached: string | null = null;
  return {
    from: () => from,
    begin: () => void (reached = null),
    end({ state }) {
      if (state === null) return;
      reached = packState(mapping, state);
      if (reached === null) writeLog('the STATE of the connector is longer than 256 KiB, so it is not kept');
    },
    state: {
      begin(last) {
        from = { state: unpackState(mapping, last) };
        onBegin();
      },
      continues: () => from !== null && from.state !== null,
      reached: () => reached,
    },
  };
}
