/** Finds indexed fields that Solr does not store: reading a document and writing it back would lose them. */
import { z } from 'zod';
import type { SolrClient } from './client.ts';
import { SOLRS_OWN } from './document.ts';
import { countFound, findUsing } from './documents.ts';

const field = z.object({
  name: z.string(),
  type: z.string(),
  indexed: z.boolean().default(false),
  stored: z.boolean().default(false),
  docValues: z.boolean().default(false),
  useDocValuesAsStored: z.boolean().default(true),
});
const fields = z.object({ fields: z.array(field) });
const dynamicFields = z.object({ dynamicFields: z.array(field) });
const copyFields = z.object({ copyFields: z.array(z.object({ source: z.string(), dest: z.string() })) });
const types = z.object({ fieldTypes: z.array(z.object({ name: z.string(), class: z.string() })) });

export type Copy = { readonly source: string; readonly dest: string };

export type Schema = {
  /** copyField rules: Solr fills their targets, and would add values that we send. */
  readonly copies: readonly Copy[];
  /** Fields by name, and patterns of names. */
  readonly indexOnly: { readonly names: readonly string[]; readonly patterns: readonly string[] };
};

export async function readSchema(client: SolrClient, collection: string): Promise<Schema> {
  const query = { showDefaults: 'true' };
  const at = `${collection}/schema`;
  const named = (await client({ path: `${at}/fields`, query, schema: fields })).fields;
  const dynamic = (await client({ path: `${at}/dynamicfields`, query, schema: dynamicFields })).dynamicFields;
  const copies = (await client({ path: `${at}/copyfields`, schema: copyFields })).copyFields;
  const { fieldTypes } = await client({ path: `${at}/fieldtypes`, schema: types });
  const random = new Set(
    fieldTypes.filter((type) => type.class.endsWith('RandomSortField')).map(({ name }) => name),
  );
  const isIndexOnly = (one: z.infer<typeof field>): boolean =>
    (one.indexed || one.docValues) &&
    !one.stored &&
    !(one.docValues && one.useDocValuesAsStored) &&
    !random.has(one.type) &&
    !copies.some(({ dest }) => matches(one.name, dest));
  return {
    copies,
    indexOnly: {
      names: named.filter((one) => !isSolrsOwn(one.name) && isIndexOnly(one)).map(({ name }) => name),
      patterns: dynamic.filter(isIndexOnly).map(({ name }) => name),
    },
  };
}

/** The unstored fields that these documents use; a dynamic pattern always counts, since it cannot be searched. */
export async function fieldsThatWouldBeLost(
  client: SolrClient,
  collection: string,
  { indexOnly }: Schema,
  ids: readonly string[],
): Promise<string[]> {
  const lost = [...indexOnly.patterns];
  for (const name of indexOnly.names) {
    if ((await countFound(client, collection, ids, name)) > 0) lost.push(name);
  }
  return lost;
}

/** The documents that use unstored fields, and these fields; of a dynamic pattern all documents. */
export async function findPartial(
  client: SolrClient,
  collection: string,
  { indexOnly }: Schema,
  ids: readonly string[],
): Promise<{ readonly fields: readonly string[]; readonly ids: ReadonlySet<string> }> {
  const fields = [...indexOnly.patterns];
  const partial = new Set<string>(fields.length > 0 ? ids : []);
  for (const name of indexOnly.names) {
    const using = await findUsing(client, collection, ids, name);
    if (using.length > 0) fields.push(name);
    for (const id of using) partial.add(id);
  }
  return { fields, ids: partial };
}

export function isSolrsOwn(name: string): boolean {
  return SOLRS_OWN.has(name) || name === '_nest_path_';
}

/** True if a rule fills the field from one of these fields. */
export function isCopied(name: string, names: readonly string[], copies: readonly Copy[]): boolean {
  return copies.some(({ source, dest }) => {
    if (!matches(dest, name)) return false;
    if (!dest.includes('*')) return names.some((one) => matches(source, one));
    // Both are patterns: what the star stands for is the same.
    const stem = dest.startsWith('*')
      ? name.slice(0, name.length - dest.length + 1)
      : name.slice(dest.length - 1);
    return names.includes(source.replace('*', () => stem));
  });
}

/** `*_s` matches `name_s`. */
function matches(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern === name;
}
