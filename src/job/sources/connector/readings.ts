/** Keeps the reading of a run from survey to the end of a listing, so that both see the same records. */
import type { Patience } from '../../http/outage.ts';
import type { ConnectorLog } from './connector-log.ts';
import type { ConnectorSettings } from './connector-settings.ts';
import type { Dialect, From, Stream } from './dialect.ts';
import { findStream, keyOf } from './find-stream.ts';
import { spool, type Spooled } from './spool.ts';

export type Readings = {
  /** The open reading, else a new one. @param from of changes, if the stream can; null: of everything @throws JobError */
  readonly current: (from: From | null) => Promise<Spooled>;
  /** Drops the open reading. */
  readonly close: () => void;
};

export function createReadings(of: {
  dialect: Dialect;
  settings: ConnectorSettings;
  stamp: string | null;
  onWait: Patience['onWait'];
  log: ConnectorLog;
}): Readings {
  const { dialect, settings, stamp, onWait, log } = of;
  let stream: Stream | null = null;
  let open: Spooled | null = null;

  return {
    async current(from) {
      if (open !== null) return open;
      try {
        // Once in a run: each command of a connector takes seconds to start.
        stream ??= findStream(await dialect.discover(), settings.stream);
        const choice = { key: keyOf(stream, settings.id), updatedAt: settings.updatedAt, stamp };
        return (open = await spool({
          dialect,
          stream,
          choice,
          settings,
          onWait,
          from: dialect.goesOn(stream) ? from : null,
        }));
      } finally {
        log.end();
      }
    },
    close() {
      open?.store.close();
      open = null;
    },
  };
}
