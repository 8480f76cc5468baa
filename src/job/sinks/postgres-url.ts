/** Reads SINK_URL, which must name host and database: the driver would otherwise guess them and write elsewhere. */
import type { Settings } from '../settings-file.ts';

/** @throws JobError `notConfigured` */
export function readPostgresUrl({ url, fault }: Settings): string {
  const text = url('SINK_URL', ['postgres:', 'postgresql:']);
  const address = new URL(text);
  const named = address.searchParams;
  if (address.hostname === '' && !named.get('host')) throw fault('SINK_URL names no host');
  if (address.pathname.length > 1) return text;
  const database = named.get('dbname');
  if (!database) throw fault('SINK_URL names no database (postgres://user:password@host:port/database)');
  // libpq accepts this form, the driver does not.
  named.delete('dbname');
  address.pathname = `/${encodeURIComponent(database)}`;
  return address.href;
}
