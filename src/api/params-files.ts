/** `/params` tells whether the params files in use are those on disk; `/reload` reads them again. */
import { z } from '@hono/zod-openapi';
import { audit } from '../db/access/audit.ts';
import { LOOK_MS } from '../job-params/live-params.ts';
import { faultText, type ParamsFault } from '../job-params/load.ts';
import { principalAndOrigin } from './auth/request-origin.ts';
import type { ApiDeps } from './context.ts';
import { isoTime } from './http/fields.ts';
import { faultSchema, Problem } from './http/problem.ts';
import { defineRoute, subApp } from './http/route.ts';

/** The answer has every fault; its text, which people read, only the first ones. */
const MOST_IN_TEXT = 5;

const paramsSchema = z
  .object({
    files: z.int().describe('Number of params files in use.'),
    loaded_at: isoTime.describe('When the files in use were last read without a fault.'),
    faults: z
      .array(faultSchema)
      .describe('Faults of the files on disk. While there are any, the last good state stays in use.'),
  })
  .openapi('Params', {
    example: {
      files: 12,
      loaded_at: '2026-11-22T01:00:00.000Z',
      faults: [
        {
          file: 'job_params/qas/avo-sync.public_params',
          line: 7,
          key: 'SCHEDULE',
          fault: "'daily' is not a schedule",
        },
      ],
    },
  });

const targets = z.array(z.object({ env: z.string(), target: z.string() }));
const reloadedSchema = z
  .object({
    added: targets.describe('Targets that the files in use before did not declare.'),
    changed: targets.describe('Targets whose files mean something else than before.'),
    removed: targets.describe('Targets that no file declares any more.'),
    files: z.int().describe('Number of params files in use.'),
    loaded_at: isoTime.describe('When they were read.'),
  })
  .openapi('Reloaded', {
    example: {
      added: [{ env: 'dev', target: 'portal' }],
      changed: [],
      removed: [],
      files: 13,
      loaded_at: '2026-11-22T01:00:00.000Z',
    },
  });

const showRoute = defineRoute({
  method: 'get',
  path: '/params',
  tag: 'params files',
  summary: 'Show whether the params files in use are those on disk',
  description: 'Tells the state of the api process that answers.',
  access: 'operator',
  verb: 'read',
  answers: { 200: { description: 'The state of the params files.', schema: paramsSchema } },
});

const reloadRoute = defineRoute({
  method: 'post',
  path: '/reload',
  tag: 'params files',
  summary: 'Read the params files again',
  description:
    'Acts on the api process that answers. Every other api and every worker looks at its own files every ' +
    `${LOOK_MS / 1000} seconds and reads changed ones by itself, as does this one without a call. One faulty file leaves ` +
    'the whole former state in use. Jobs keep the parameters that they were submitted with.',
  access: 'admin',
  verb: 'reload',
  touches: 'everything',
  answers: {
    200: { description: 'The files were read, and are in use.', schema: reloadedSchema },
  },
  errors: [
    faulty([
      {
        file: 'job_params/qas/avo-sync.public_params',
        line: 7,
        key: 'SCHEDULE',
        fault: "'daily' is not a schedule",
      },
    ]),
  ],
});

export function paramsFiles({ params, liveParams }: ApiDeps) {
  const app = subApp();
  const state = () => ({ files: params.files.length, loaded_at: params.loadedAt.toISOString() });
  app.openapi(showRoute, (c) => c.json({ ...state(), faults: [...params.faults] }, 200));
  app.openapi(reloadRoute, async (c) => {
    const reloaded = await liveParams.reload();
    const line = { ...principalAndOrigin(c), verb: 'reload', object: 'params' };
    if (reloaded.kind === 'faulty') {
      const problem = faulty(reloaded.faults);
      await audit(c.var.db, { ...line, refused: problem.code, detail: { message: problem.message } });
      throw problem;
    }
    const { added, changed, removed } = reloaded.changes;
    const changes = { added: [...added], changed: [...changed], removed: [...removed] };
    await audit(c.var.db, { ...line, detail: changes });
    return c.json({ ...changes, ...state() }, 200);
  });
  return app;
}

function faulty(faults: readonly ParamsFault[]): Problem {
  const more = faults.length > MOST_IN_TEXT ? [`and ${faults.length - MOST_IN_TEXT} more`] : [];
  const words = [...faults.slice(0, MOST_IN_TEXT).map(faultText), ...more].join('; ');
  return new Problem(
    422,
    'params_faulty',
    `the params files are faulty, and the last good state stays in use: ${words}; correct them`,
    { members: { faults } },
  );
}
