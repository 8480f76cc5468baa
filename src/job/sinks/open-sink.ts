/** Creates the sink that the settings name. */
import type { JobArguments } from '../arguments.ts';
import { JobError } from '../job-error.ts';
import { createOpenSearchSink } from './opensearch/opensearch-sink.ts';
import { createPostgresSink } from './postgres/postgres-sink.ts';
import type { Writer } from './writer.ts';
import type { Sink } from './sink.ts';
import type { SinkSettings } from './sink-settings.ts';
import { createSolrSink } from './solr/solr-sink.ts';

export type SinkContext = {
  readonly given: JobArguments;
  readonly writer: Writer;
  readonly stop: AbortSignal;
  /** Called with the reason for waiting for the sink; with null once it is available again. */
  readonly onWait: (words: string | null) => void;
  readonly log: (line: string) => void;
  readonly patienceMs?: number;
  readonly leastBatch?: number;
};

/** Connects on first use. @throws JobError `usage` for arguments of another sink */
export function openSink(settings: SinkSettings, { given, ...context }: SinkContext): Sink {
  if (settings.kind === 'solr') return createSolrSink({ settings, given, ...context });
  if (given.switchSolrAlias) {
    throw new JobError(
      'usage',
      `--switch_solr_alias needs SINK=solr, but SINK=${settings.kind}; remove it from OPTIONS`,
    );
  }
  if (settings.kind === 'opensearch') return createOpenSearchSink({ settings, given, ...context });
  return createPostgresSink({ settings, concurrency: given.concurrency, ...context });
}
