/** Reads a URL of Postgres, which must name host and database: the driver would otherwise guess them. */
import type { Settings } from './settings-file.ts';

/** @param key the setting @throws JobError `notConfigured` */
export function readPostgresUrl({ url, fault }: Settings, key: string): string {
  const text = url(key, ['postgres:', 'postgresql:']);
  const address = new URL(text);
  const named = address.searchParams;
  if (address.hostname === '' && !named.get('host')) throw fault(`${key} names no host`);
  if (address.pathname.length > 1) return text;
  const database = named.get('dbname');
  if (!database) throw fault(`${key} names no database (postgres://user:password@host:port/database)`);
  // libpq accepts this form, the driver does not.
  named.delete('dbname');
  address.pathname = `/${encodeURIComponent(database)}`;
  return address.href;
}
