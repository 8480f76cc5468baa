/**
 * Opens a source as the rest of the program sees it: with FIELDS applied, records that do not fit SINK_COLUMNS set aside, and
 * CANARY_IDS expected.
 */
import { fitColumns } from '../columns/fitted-source.ts';
import { mapFields } from '../fields/mapped-source.ts';
import type { JobSettings } from '../settings.ts';
import { columnsOf } from '../sinks/sink-settings.ts';
import { expectCanaries } from './canaries.ts';
import { openSource } from './open-source.ts';
import type { Source } from './source.ts';

export function openRecords(
  settings: Parameters<typeof openSource>[0],
  { fields, sink, canaries }: Pick<JobSettings, 'fields' | 'sink' | 'canaries'>,
  options: Parameters<typeof openSource>[1],
): Source {
  const own = openSource(settings, options);
  const mapped = fields === null ? own : mapFields(own, fields);
  const fitted = fitColumns(mapped, columnsOf(sink));
  return canaries.length === 0 ? fitted : expectCanaries(fitted, canaries);
}
