/** Tests closing a connection to Temporal while Temporal is unreachable. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const CONNECT = path.resolve(import.meta.dirname, '../../src/temporal/connect.ts');

/** No server listens on port 1; the process ends by itself when no timer is left. */
const PROGRAM = `
  import { connectTemporal, within } from ${JSON.stringify(CONNECT)};
  for (let i = 0; i < 8; i++) {
    const temporal = connectTemporal({ address: '127.0.0.1:1', namespace: 'default' });
    const call = () => temporal.client.workflow.getHandle('x').describe();
    await within(100 * i, temporal.connection, call).catch(() => undefined);
    await temporal.close();
  }
`;

test('a retry that is due while the connection closes does not end the process', async () => {
  const ended = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  expect(ended).toEqual({ stdout: '', stderr: '' });
});
