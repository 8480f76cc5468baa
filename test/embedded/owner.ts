/** Owns an embedded server until it is killed: lets tests create an orphan. */
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';

const [kind, dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: owner.ts postgres|temporal <folder>');
if (kind === 'postgres') {
  const server = await startPostgres({ dataDir, ephemeral: true });
  process.send?.({ pid: server.pid, address: server.url('postgres') });
} else {
  const server = await startTemporal({ dataDir });
  process.send?.({ pid: server.pid, address: server.address });
}
