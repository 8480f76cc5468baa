/** The pods' network: one bridge, over which they reach this machine and each other, and nothing else. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { BRIDGE, HOST_ADDRESS, LEASES, networkConfig, SUBNET } from './places.ts';

const ip = (...args: string[]) => promisify(execFile)('ip', args, { timeout: 10_000 });

/** Creates the bridge before the first pod, so that servers can listen on its address. */
export async function makeNetwork(dir: string): Promise<void> {
  await ip('link', 'add', BRIDGE, 'type', 'bridge');
  await ip('address', 'add', `${HOST_ADDRESS}/${SUBNET.split('/')[1] ?? ''}`, 'dev', BRIDGE);
  await ip('link', 'set', BRIDGE, 'up');
  const configuration = {
    cniVersion: '0.4.0',
    name: 'syncrator',
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        ipam: {
          type: 'host-local',
          dataDir: LEASES,
          ranges: [[{ subnet: SUBNET, gateway: HOST_ADDRESS }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
  mkdirSync(networkConfig(dir), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(networkConfig(dir), '10-syncrator.conflist'), JSON.stringify(configuration));
}

/** Safe to call without a bridge. */
export async function removeNetwork(): Promise<void> {
  const { stdout } = await ip('-json', 'link', 'show', 'type', 'bridge');
  const bridges = JSON.parse(stdout === '' ? '[]' : stdout) as { ifname?: string }[];
  if (bridges.some(({ ifname }) => ifname === BRIDGE)) await ip('link', 'delete', BRIDGE);
}
