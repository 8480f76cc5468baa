/** The user's table with everything that a user attaches to it, and its description from the catalogue. */
import type { ClientBase } from 'pg';

export const NEIGHBOURHOOD = `
  CREATE TABLE cities (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL, noted text DEFAULT 'x');
  CREATE INDEX cities_by_name ON cities ((record->>'name'));
  CREATE VIEW named_cities AS SELECT id, record->>'name' AS name FROM cities;
  GRANT SELECT ON cities, named_cities TO sink_reader;
  CREATE PUBLICATION of_cities FOR TABLE cities;
  COMMENT ON TABLE cities IS 'the cities of all shops';
  COMMENT ON COLUMN cities.record IS 'as the source has it';
  CREATE TABLE changes_of_cities (at timestamptz NOT NULL);
  CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.changes_of_cities VALUES (now()); RETURN NULL; END';
  CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON cities FOR EACH STATEMENT EXECUTE FUNCTION note_change();
  CREATE TABLE baseline (id text PRIMARY KEY, record jsonb NOT NULL);
  INSERT INTO baseline SELECT 'r' || n, '{}' FROM generate_series(1, 50) AS n;`;

/** One line for each object of the schema `public`: its definition, its owner, and where its data lie. */
export async function readCatalogue(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ line: string }>(`
    WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT concat_ws(' ', 'relation', oid, relname, relkind, relfilenode, relowner::regrole, relacl, reloptions, relreplident) AS line FROM ours
    UNION ALL SELECT concat_ws(' ', 'column', c.relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attacl)
      FROM pg_attribute JOIN ours c ON c.oid = attrelid WHERE attnum > 0
    UNION ALL SELECT 'default ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN ours c ON c.oid = adrelid
    UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid::text FROM pg_index JOIN ours c ON c.oid = indrelid
    UNION ALL SELECT 'view ' || pg_get_viewdef(oid) FROM ours WHERE relkind = 'v'
    UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(o.oid) FROM pg_constraint o JOIN ours c ON c.oid = conrelid
    UNION ALL SELECT pg_get_triggerdef(t.oid) || ' ' || tgenabled::text FROM pg_trigger t JOIN ours c ON c.oid = tgrelid
    UNION ALL SELECT concat_ws(' ', 'publication', p.*) FROM pg_publication p
    UNION ALL SELECT concat_ws(' ', 'published', p.*) FROM pg_publication_tables p
    UNION ALL SELECT concat_ws(' ', 'comment', c.relname, objsubid, description) FROM pg_description JOIN ours c ON c.oid = objoid
    UNION ALL SELECT 'function ' || proname || ' ' || oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'syncrator'
    ORDER BY 1`);
  return rows.map(({ line }) => line).join('\n');
}
