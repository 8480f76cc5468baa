/** The live data of a sink, as readers see them, for one case. */

import type { Live, Row } from './model.ts';

export type LiveSink = {
  /** The settings that name it. */
  readonly environment: Readonly<Record<string, string>>;
  /** A digest of all bytes. */
  digest(): Promise<string>;
  /** The first differing records; empty if there are none. */
  differences(live: Live): Promise<string[]>;
  ids(): Promise<ReadonlySet<string>>;
  /** Whether this record is live with these fields. */
  has(row: Row): Promise<boolean>;
};
