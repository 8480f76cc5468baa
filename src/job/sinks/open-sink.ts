/** Chooses the sink the settings name. */

import type { JobArguments } from '../arguments.ts';
import { JobError } from '../job-error.ts';
import { createPostgresSink } from './postgres/postgres-sink.ts';
import type { Sink } from './sink.ts';
import type { SinkSettings } from './sink-settings.ts';
import { createSolrSink } from './solr/solr-sink.ts';

/** Opens nothing yet: the first call of the sink does. @throws JobError `usage` for arguments meant for another sink */
export function openSink(settings: SinkSettings, given: JobArguments): Sink {
  if (settings.kind === 'solr') return createSolrSink({ settings, given });
  if (given.switchSolrAlias) {
    throw new JobError('usage', `--switch_solr_alias is for SINK=solr, and SINK=${settings.kind}`);
  }
  return createPostgresSink({ settings, lanes: given.lanes, jobId: given.jobId });
}
