/** `/importable-datasets`: lists the tar files of INPUT_DIR and deletes one. */
import { z } from '@hono/zod-openapi';
import { principalAndOrigin } from '../../auth/request-origin.ts';
import type { ApiDeps } from '../../context.ts';
import {
  DATASET_NAME,
  hasDataset,
  type Listing,
  listDatasets,
  removeDataset,
  type Skipped,
} from './dataset-folder.ts';
import { doAfterLine } from '../../auth/audited-effect.ts';
import { text, yesOrNo } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { defineRoute, subApp } from '../../http/route.ts';

/** Limits of the header X-Skipped: files, and characters of each name. */
const MOST_NAMED = 20;
const MOST_FILE = 100;

const datasetSchema = z
  .object({
    datasetName: z.string().describe('The name of the file without `.tar`.'),
    hasMetadata: z.boolean().describe('Whether it contains `<datasetName>.json`.'),
    hasData: z.boolean().describe('Whether it contains `chunks`.'),
    isArchived: z.boolean().describe('Whether it lies in `archive`, because it has been imported.'),
  })
  .openapi('ImportableDataset', {
    example: { datasetName: 'MY_DATASET', hasMetadata: true, hasData: true, isArchived: false },
  });

const common = { tag: 'datasets', path: '/importable-datasets' } as const;

const listRoute = defineRoute({
  ...common,
  method: 'get',
  summary: 'List the tar files of INPUT_DIR and its archive',
  description:
    'Omits tar files that are not datasets (wrong name, unreadable, truncated). The header `X-Skipped-Count` counts them; ' +
    '`X-Skipped` names the first 20 with the reason, form-encoded.',
  access: 'read',
  deadline: 'user',
  query: z.strictObject({
    hasMetadata: yesOrNo.optional().describe('Only datasets with metadata, or only those without.'),
  }),
  answers: { 200: { description: 'Datasets, by name.', schema: z.array(datasetSchema) } },
  errors: [noInputDir(), unreadable('ENOENT')],
});

const deleteRoute = defineRoute({
  ...common,
  method: 'delete',
  path: '/importable-datasets/{name}',
  summary: 'Delete a tar file from INPUT_DIR',
  description: 'Never deletes from the folder archive.',
  access: 'admin',
  verb: 'delete',
  touches: 'everything',
  params: z.object({
    // Checked by the handler, whose message is that of the predecessor.
    name: text(1000).openapi({
      param: { name: 'name', in: 'path' },
      description: 'The name of the file without `.tar`.',
      pattern: DATASET_NAME.source,
      maxLength: 251,
      example: 'MY_DATASET',
    }),
  }),
  answers: {
    200: {
      description: 'The file was deleted.',
      schema: z.object({ message: z.string().describe('Confirmation.') }).openapi('DatasetRemoved'),
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
    // Concurrent requests share one listing, to spare the disk.
    underWay ??= listDatasets(inputDir).finally(() => (underWay = undefined));
    const { datasets, skipped } = await underWay.catch(refuse);
    const skippedText = JSON.stringify(skipped);
    if (skipped.length > 0 && skippedText !== told)
      c.var.log.warn({ skipped }, 'INPUT_DIR has files that are not datasets');
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
    if (!(await hasDataset(inputDir, name).catch(refuse))) throw noDataset(name);
    const line = { ...principalAndOrigin(c), verb: 'delete', object: `dataset ${name}` };
    await doAfterLine(c, line, async () => {
      if (!(await removeDataset(inputDir, name).catch(refuse))) throw noDataset(name);
    });
    c.var.log.info({ dataset: name }, 'deleted a dataset from INPUT_DIR');
    return c.json({ message: `OK, ${name} deleted` });
  });
  return app;
}

/** Form-encoded, because file names may contain characters that a header may not. */
function named(skipped: readonly Skipped[]): string {
  return new URLSearchParams(
    skipped.slice(0, MOST_NAMED).map(({ file, why }): [string, string] => [file.slice(0, MOST_FILE), why]),
  ).toString();
}

/** Turns an error of the folder itself into a problem. */
function refuse(error: unknown): never {
  const code = error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : codeOf(error);
  if (code === undefined) throw error;
  throw unreadable(code);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function noInputDir(): Problem {
  return new Problem(
    503,
    'no_input_dir',
    'INPUT_DIR is not set on this server; set it to the folder of the datasets',
    {
      headers: { 'retry-after': '60' },
    },
  );
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
    `File ${name} not found in INPUT_DIR (files of its archive are not deleted)`,
  );
}
