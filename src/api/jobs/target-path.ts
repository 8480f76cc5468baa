/** The path `/<action>/<target>/<env>`, and the answers to a target that job_params does not declare. */
import { z } from '@hono/zod-openapi';
import { pathName } from '../http/fields.ts';
import { unknownName } from './start-request.ts';

export const targetPath = z.object({
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

export const UNKNOWN_TARGET = [
  unknownName('env', 'qa', '', ['prd', 'qas']),
  unknownName('target', 'av', " in env 'qas'", ['avo', 'cities']),
  unknownName('action', 'sync', " of target 'avo' in env 'qas'", ['delta']),
];
