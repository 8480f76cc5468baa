/** `/importable-datasets`: what lies ready in INPUT_DIR to be imported, and the removal of one. */
import { z } from '@hono/zod-openapi';
import { audit } from '../db/audit.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps } from './context.ts';
import { DATASET_NAME, type Listing, listDatasets, removeDataset, type Skipped } from './dataset-folder.ts';
import { text, yesOrNo } from './fields.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

/** Of the files that the header names. */
const MOST_NAMED = 20;
const MOST_FILE = 100;

const datasetSchema = z
  .object({
    datasetName: z.string().describe('The file is called so, with `.tar`.'),
    hasMetadata: z.boolean().describe('`<datasetName>.json` is in it.'),
    hasData: z.boolean().describe('`chunks` is in it.'),
    isArchived: z.boolean().describe('It lies in `archive`: it has been imported.'),
  })
  .openapi('ImportableDataset', {
    example: { datasetName: 'MY_DATASET', hasMetadata: true, hasData: true, isArchived: false },
  });
export type ImportableDatasetJson = z.infer<typeof datasetSchema>;

const common = { tag: 'datasets', path: '/importable-datasets' } as const;

const listRoute = defineRoute({
  ...common,
  method: 'get',
  summary: 'The tar files of INPUT_DIR and its folder archive',
  description:
    'Tar files that are no datasets (another name, unreadable, cut off) are left out: the header `X-Skipped-Count` ' +
    'counts them, `X-Skipped` names the first ones with why, form-encoded.',
  access: 'read',
  deadline: 'user',
  query: z.strictObject({
    hasMetadata: yesOrNo.optional().describe('Only those with metadata, or without.'),
  }),
  answers: { 200: { description: 'By name.', schema: z.array(datasetSchema) } },
  errors: [noInputDir(), unreadable('ENOENT')],
});

const deleteRoute = defineRoute({
  ...common,
  method: 'delete',
  path: '/importable-datasets/{name}',
  summary: 'Remove a tar file from INPUT_DIR; never from its archive',
  access: 'admin',
  verb: 'delete',
  touches: 'everything',
  params: z.object({
    // Checked by the route, in the words of the service that this succeeds.
    name: text(1000).openapi({
      param: { name: 'name', in: 'path' },
      pattern: DATASET_NAME.source,
      maxLength: 251,
      example: 'MY_DATASET',
    }),
  }),
  answers: {
    200: {
      description: 'Removed.',
      schema: z.object({ message: z.string() }),
      example: { message: 'OK, MY_DATASET deleted' },
    },
  },
  errors: [badName('my-dataset'), noDataset('MY_DATASET'), noInputDir(), unreadable('EACCES')],
});

export function importableDatasets({ config: { inputDir } }: ApiDeps) {
  const app = subApp();
  let underWay: Promise<Listing> | undefined;
  let told = '';

  app.openapi(listRoute, async (c) => {
    if (inputDir === undefined) throw noInputDir();
    // One at a time, whoever asks for it: the disk has other things to do.
    underWay ??= listDatasets(inputDir).finally(() => (underWay = undefined));
    const { datasets, skipped } = await underWay.catch(refuse);
    const skippedText = JSON.stringify(skipped);
    if (skipped.length > 0 && skippedText !== told)
      c.var.log.warn({ skipped }, 'INPUT_DIR has files that are no datasets');
    told = skippedText;
    c.header('x-skipped-count', String(skipped.length));
    if (skipped.length > 0) c.header('x-skipped', named(skipped));
    const { hasMetadata } = c.req.valid('query');
    return c.json(datasets.filter((one) => hasMetadata === undefined || one.hasMetadata === hasMetadata));
  });

  app.openapi(deleteRoute, async (c) => {
    const { name } = c.req.valid('param');
    if (!DATASET_NAME.test(name)) throw badName(name);
    if (inputDir === undefined) throw noInputDir();
    // The line is written before the file is gone, and taken back where it stays.
    await c.var.db.transaction().execute(async (tx) => {
      await audit(tx, { ...callerOf(c), verb: 'delete', object: `dataset ${name}` });
      if (!(await removeDataset(inputDir, name).catch(refuse))) throw noDataset(name);
    });
    c.var.log.info({ dataset: name }, 'a dataset was removed from INPUT_DIR');
    return c.json({ message: `OK, ${name} deleted` });
  });
  return app;
}

/** Form-encoded: names of files are anything, a header is not. */
function named(skipped: readonly Skipped[]): string {
  return new URLSearchParams(
    skipped.slice(0, MOST_NAMED).map(({ file, why }): [string, string] => [file.slice(0, MOST_FILE), why]),
  ).toString();
}

/** The folder itself is at fault. */
function refuse(error: unknown): never {
  const code = error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : codeOf(error);
  if (code === undefined) throw error;
  throw unreadable(code);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function noInputDir(): Problem {
  return new Problem(503, 'no_input_dir', 'INPUT_DIR is not set on this server: there are no datasets', {
    headers: { 'retry-after': '60' },
  });
}

function unreadable(code: string): Problem {
  return new Problem(503, 'input_dir_unusable', `INPUT_DIR cannot be used (${code})`, {
    headers: { 'retry-after': '10' },
  });
}

function badName(name: string): Problem {
  const shown = name.slice(0, 80);
  const rule = 'Please use only uppercase A-Z, numbers 0-9 or "_", a letter first';
  return new Problem(400, 'bad_dataset_name', `"${shown}" contains invalid characters. ${rule}`);
}

function noDataset(name: string): Problem {
  return new Problem(
    404,
    'unknown_dataset',
    `File ${name} not found in INPUT_DIR (what is archived is not deleted)`,
  );
}
