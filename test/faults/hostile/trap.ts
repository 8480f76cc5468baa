/** A port and a file name that the hostile texts contain: nothing may call the one or create the other. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';

export type Trap = Disposable & {
  readonly port: number;
  readonly file: string;
  /** Calls and files that it caught. */
  violations(): string[];
};

const FILE = 'made';

export async function setTrap(dir: string): Promise<Trap> {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A listening server has an address of this kind. oxlint-disable-next-line typescript/no-unsafe-type-assertion
    port: (server.address() as AddressInfo).port,
    file: path.join(dir, FILE),
    violations() {
      const made = readdirSync(dir).filter((name) => name.startsWith(FILE));
      return [
        ...(calls > 0 ? [`something called the trap ${calls} times`] : []),
        ...(made.length > 0 ? [`something made ${made.join(', ')}`] : []),
      ];
    },
    [Symbol.dispose]: () => void server.close(),
  };
}
