/** Reads the catalogue about the live table, and tells why a table cannot be one. */
import type { PoolClient } from 'pg';

export const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

export type Facts = {
  oid: number;
  schema: string;
  kind: string;
  persistence: string;
  replica_identity: string;
  encoding: string;
  role: string;
  has_children: boolean;
  has_rules: boolean;
  id_is_unique: boolean;
  may: Record<(typeof RIGHTS)[number], boolean>;
  published: string | null;
  has_primary_key: boolean;
  owns: boolean;
  /** Publications that would publish a new column. */
  published_whole: string | null;
};

/** @param named the quoted name, with its schema where the settings tell it @returns undefined without such a table */
export async function readFacts(client: PoolClient, named: string): Promise<Facts | undefined> {
  const { rows } = await client.query<Facts>(FACTS, [named]);
  return rows[0];
}

export function structureFault(facts: Facts): string | null {
  if (facts.encoding !== 'UTF8') return `lies in a database: ${encodingFault(facts.encoding)}`;
  const kinds: Readonly<Record<string, string>> = {
    v: 'a view',
    m: 'a materialized view',
    f: 'a foreign table',
    S: 'a sequence',
    c: 'a type',
    i: 'an index',
  };
  if (!['r', 'p'].includes(facts.kind))
    return `is ${kinds[facts.kind] ?? 'not a table'}; name a table instead`;
  if (facts.persistence === 't') return 'is a temporary table';
  if (facts.has_children) return 'has tables that inherit from it; name a plain or a partitioned table';
  if (facts.has_rules) return 'has rules, which rewrite statements; drop them or name another table';
  if (!facts.id_is_unique)
    return 'has no unique index on id alone; run CREATE UNIQUE INDEX ON it (id), without WHERE and not DEFERRABLE';
  const identified =
    facts.replica_identity === 'f' ||
    facts.replica_identity === 'i' ||
    (facts.replica_identity === 'd' && facts.has_primary_key);
  if (facts.published !== null && !identified)
    return `is published by ${facts.published} and has no replica identity, so Postgres refuses changes; run ALTER TABLE it ADD PRIMARY KEY (id), or REPLICA IDENTITY FULL`;
  return null;
}

export function encodingFault(encoding: string): string {
  return `the database of SINK_URL has the encoding ${encoding}, but records need UTF8`;
}

const FACTS = `
  SELECT c.oid, n.nspname AS schema, c.relkind AS kind, c.relpersistence AS persistence,
    c.relreplident AS replica_identity, current_setting('server_encoding') AS encoding, current_user AS role,
    c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
    EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN') AS has_rules,
    EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
        AND i.indexprs IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS id_is_unique,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_primary_key,
    jsonb_build_object('SELECT', has_table_privilege(c.oid, 'SELECT'), 'INSERT', has_table_privilege(c.oid, 'INSERT'),
      'UPDATE', has_table_privilege(c.oid, 'UPDATE'), 'DELETE', has_table_privilege(c.oid, 'DELETE')) AS may,
    pg_has_role(c.relowner, 'USAGE') AS owns,
    (SELECT string_agg(p.pubname, ', ' ORDER BY p.pubname) FROM pg_publication p
      JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname
      WHERE p.pubupdate OR p.pubdelete) AS published,
    (SELECT string_agg(DISTINCT p.pubname, ', ') FROM pg_publication p
      JOIN pg_publication_tables t ON t.pubname = p.pubname
      JOIN pg_namespace pn ON pn.nspname = t.schemaname JOIN pg_class pc ON pc.relnamespace = pn.oid AND pc.relname = t.tablename
      LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid IN (pc.oid, c.oid)
      WHERE (p.pubinsert OR p.pubupdate OR p.pubdelete) AND r.prattrs IS NULL
        AND (pc.oid = c.oid OR pc.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))) AS published_whole
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`;
