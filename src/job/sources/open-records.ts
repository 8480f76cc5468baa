/** Opens a source as the rest of the program sees it: with FIELDS applied, and CANARY_IDS expected. */
import { mapFields } from '../fields/mapped-source.ts';
import type { JobSettings } from '../settings.ts';
import { expectCanaries } from './canaries.ts';
import { openSource } from './open-source.ts';
import type { Source } from './source.ts';

export function openRecords(
  settings: Parameters<typeof openSource>[0],
  { fields, canaries }: Pick<JobSettings, 'fields' | 'canaries'>,
  options: Parameters<typeof openSource>[1],
): Source {
  const own = openSource(settings, options);
  const mapped = fields === null ? own : mapFields(own, fields);
  return canaries.length === 0 ? mapped : expectCanaries(mapped, canaries);
}
