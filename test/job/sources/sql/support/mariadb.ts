/** A database of its own on a MariaDB. */
import type { Mariadb } from '../../../../support/mariadb.ts';
import type { SqlDatabase } from './database.ts';

export async function mariadbDatabase(server: Mariadb): Promise<SqlDatabase & { readonly name: string }> {
  const name = await server.createDatabase();
  const exec = async (sql: string): Promise<void> => void (await server.exec(name, sql));
  await exec(`CREATE TABLE log (at INT);
    CREATE FUNCTION written(value TEXT) RETURNS TEXT NOT DETERMINISTIC MODIFIES SQL DATA
    BEGIN INSERT INTO log VALUES (1); RETURN value; END`);
  return {
    name,
    url: server.url(name),
    exec,
    text: 'VARCHAR(200)',
    timestamp: 'TIMESTAMP NULL',
    slow: 'SELECT id, name FROM places WHERE SLEEP(0.1) = 0',
    writing: 'SELECT written(id) AS id, name FROM places',
    [Symbol.asyncDispose]: async () => void (await server.exec('mysql', `DROP DATABASE ${name}`)),
  };
}
