/** Values for a column that must not be NULL while its own value is missing for a moment: they seldom repeat. Pure. */

const FILLERS: Readonly<Record<string, string>> = {
  text: 'gen_random_uuid()::text',
  integer: '-floor(random() * 2147483647)::integer',
  bigint: '-floor(random() * 9e18)::bigint',
  numeric: '0',
  'double precision': 'random()',
  boolean: 'false',
  date: `date '2000-01-01'`,
  'timestamp without time zone': 'localtimestamp',
  'timestamp with time zone': 'now()',
  uuid: 'gen_random_uuid()',
  jsonb: `'{}'::jsonb`,
  'text[]': 'ARRAY[gen_random_uuid()::text]',
  // Types to which an owner may have changed a column.
  'character varying': `''`,
  character: `''`,
  smallint: '0',
  real: '0',
};

/** @param type as `format_type` of Postgres names it @returns SQL; null for other types */
export function fillerOf(type: string): string | null {
  return FILLERS[type.replace(/\(.*\)$/, '')] ?? null;
}
