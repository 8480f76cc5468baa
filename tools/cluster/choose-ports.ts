/** Chooses the ports of a folder's cluster. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../src/embedded/ports.ts';
import type { Ports } from './control-plane.ts';

/** Reuses the ports of the last start where free, so that a copied kubeconfig stays valid. */
export async function choosePorts(dir: string): Promise<Ports> {
  const file = path.join(dir, 'ports.json');
  let last: Partial<Ports> = {};
  try {
    last = JSON.parse(readFileSync(file, 'utf8')) as Partial<Ports>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const taken = new Set<number>();
  const choose = async (name: keyof Ports): Promise<number> => {
    const port = await freePort(last[name], { except: taken });
    taken.add(port);
    return port;
  };
  const ports: Ports = {
    etcd: await choose('etcd'),
    'etcd-peer': await choose('etcd-peer'),
    apiserver: await choose('apiserver'),
    'controller-manager': await choose('controller-manager'),
    scheduler: await choose('scheduler'),
    kwok: await choose('kwok'),
    kubelet: await choose('kubelet'),
  };
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}
