/** Opens the place that SOURCE_PATH names. */
import { createDiskPlace } from './disk-place.ts';
import type { FilesSettings } from './files-settings.ts';
import { createHttpPlace } from './http-place.ts';
import type { Place, PlaceOptions } from './place.ts';
import { createS3Place } from './s3-place.ts';

export function openPlace(where: FilesSettings['where'], options: PlaceOptions): Place {
  if (where.at === 'disk') return createDiskPlace(where);
  return where.at === 'http' ? createHttpPlace(where, options) : createS3Place(where, options);
}
