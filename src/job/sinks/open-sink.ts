/** Chooses the sink the settings name. */

import { createPostgresSink } from './postgres/postgres-sink.ts';
import type { Sink } from './sink.ts';
import type { SinkSettings } from './sink-settings.ts';

/** Opens nothing yet: the first call of the sink does. @param jobId null for a stand-alone run, which no fence protects */
export function openSink(
  settings: SinkSettings,
  { lanes, jobId }: { lanes: number; jobId: number | null },
): Sink {
  return createPostgresSink({ settings, lanes, jobId });
}
