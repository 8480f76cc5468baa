/** The path of actions that have no params file of their own: every target whose sync is declared has them. */
import { z } from '@hono/zod-openapi';
import { pathName } from '../http/fields.ts';
import { unknownName } from './start-request.ts';

export const besideSyncParams = z.object({
  target: pathName.openapi({
    param: { name: 'target', in: 'path' },
    description: 'A declared target.',
    example: 'avo',
  }),
  env: pathName.openapi({
    param: { name: 'env', in: 'path' },
    description: 'A declared environment.',
    example: 'qas',
  }),
});

export const UNKNOWN_TARGETS = [
  unknownName('env', 'qa', '', ['prd', 'qas']),
  unknownName('target', 'av', " in env 'qas'", ['avo', 'cities']),
  unknownName('action', 'sync', " of target 'avo' in env 'qas'", ['delta']),
];
