/**
 * The body of a new index: mappings and settings of the file SINK_MAPPING, or a mapping that indexes `id` and
 * `updated_at` alone. New fields of records are never mapped by themselves, unless the file says so.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { reasonOf } from '../../job-error.ts';
import type { Settings } from '../../settings-file.ts';

const object = z.record(z.string(), z.unknown());
const fileSchema = z.strictObject({ mappings: object.default({}), settings: object.default({}) });

export type IndexBody = z.infer<typeof fileSchema>;

/** The fields that the program itself reads: it sorts by `id` and compares `updated_at`. */
const OURS: Readonly<Record<string, { readonly type: string }>> = {
  id: { type: 'keyword' },
  updated_at: { type: 'date' },
};
/** Beside the type, these change nothing of the field itself. */
const HARMLESS: ReadonlySet<string> = new Set(['type', 'fields', 'copy_to', 'meta']);

const KEY = 'SINK_MAPPING';

/** @throws JobError `notConfigured` */
export function readIndexBody(settings: Settings): IndexBody {
  const file = settings.optional(KEY);
  const body = file === undefined ? { mappings: {}, settings: {} } : readFile(file, settings);
  return { settings: body.settings, mappings: withOurs(body.mappings, settings) };
}

function readFile(file: string, { fault }: Settings): IndexBody {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw fault(`${KEY} names ${file}, which cannot be read as JSON: ${reasonOf(error)}`);
  }
  const found = fileSchema.safeParse(json);
  if (found.success) return found.data;
  throw fault(`${KEY} names ${file}, which is not an object of "mappings" and "settings" alone`);
}

function withOurs(mappings: IndexBody['mappings'], { fault }: Settings): IndexBody['mappings'] {
  const properties = object.safeParse(mappings['properties'] ?? {});
  if (!properties.success) throw fault(`${KEY}: "properties" is not an object`);
  for (const [name, { type }] of Object.entries(OURS)) {
    const given = properties.data[name];
    if (given !== undefined && !isPlain(given, type))
      throw fault(
        `${KEY} maps ${name} in another way than {"type": "${type}"} (with "fields" or "copy_to" if you like)`,
      );
  }
  if (mappings['_source'] !== undefined)
    throw fault(`${KEY} sets "_source", which has to hold the whole record; remove that`);
  return { dynamic: false, ...mappings, properties: { ...OURS, ...properties.data } };
}

function isPlain(field: unknown, type: string): boolean {
  const found = object.safeParse(field);
  if (!found.success || found.data['type'] !== type) return false;
  return Object.keys(found.data).every((key) => HARMLESS.has(key));
}
