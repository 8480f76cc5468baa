/** Remembers the ports of a data folder's servers, so that addresses in settings stay valid after a restart. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { freePort } from './ports.ts';

const schema = z.record(z.string(), z.number().int().min(1).max(65_535));

export type KeptPort = {
  readonly port: number;
  /** The port of the last start, if it differs. */
  readonly before: number | undefined;
};

/**
 * Returns the port of the last start if it is free, else another one.
 * @param of.except ports to avoid
 */
export async function keptPort(of: {
  dataDir: string;
  server: string;
  except?: ReadonlySet<number>;
}): Promise<KeptPort> {
  const last = read(of.dataDir)[of.server];
  const port = await freePort(last, of.except === undefined ? {} : { except: of.except });
  return { port, before: port === last ? undefined : last };
}

/** Stores the current port of a server. */
export function keepPort(dataDir: string, server: string, port: number): void {
  const file = portsFile(dataDir);
  const ports = read(dataDir);
  if (ports[server] === port) return;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ ...ports, [server]: port })}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Message for users whose settings contain the old address. */
export function changedPort(server: string, { port, before }: KeptPort): string {
  return `${server}: port ${before} of the last start is taken, so it uses ${port}: change settings that name the old port`;
}

/** Treats a damaged file as empty; it is then rewritten. */
function read(dataDir: string): Record<string, number> {
  const file = portsFile(dataDir);
  if (!existsSync(file)) return {};
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

function portsFile(dataDir: string): string {
  return path.join(dataDir, 'ports.json');
}
