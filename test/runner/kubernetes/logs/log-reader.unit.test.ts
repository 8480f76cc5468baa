/** Reading a pod's log while the kubelet answers with messages of its own. */
import { expect, test } from 'vitest';
import type { KubernetesClient } from '../../../../src/runner/kubernetes/apiserver/client.ts';
import { openPodLog } from '../../../../src/runner/kubernetes/logs/log-reader.ts';
import type { LogOver } from '../../../../src/runner/runner.ts';

const HELLO = '2026-01-01T00:00:00.1Z hello\n';
const MORE = '2026-01-01T00:00:01Z more\n';
const NO_WATCHER = 'failed to create fsnotify watcher: too many open files';

type Asked = { readonly since: string | undefined; readonly follow: boolean };

/** Reads the log of an ended program to its end; `answer` gives the kubelet's answer to each request. */
async function readToEnd(answer: (nth: number, asked: Asked) => string) {
  const asked: Asked[] = [];
  const troubles: string[] = [];
  const client = {
    async *streamLog(_pod: string, _container: string, since: string | undefined, _: unknown, follow = true) {
      asked.push({ since, follow });
      yield Buffer.from(answer(asked.length, { since, follow }));
    },
  } as unknown as KubernetesClient;
  const log = openPodLog(
    client,
    { pod: () => 'p', ended: () => true, find: async () => ({ pod: 'p' }), container: 'c' },
    {
      from: { offset: 0, mark: null },
      onNews: () => undefined,
      onTrouble: (error) => troubles.push((error as Error).message),
    },
  );
  let text = '';
  let over: LogOver | undefined;
  while (over === undefined) {
    const part = await log.read({ toEnd: true });
    if (typeof part === 'string') over = part;
    else text += part?.bytes.toString() ?? '';
  }
  log.close();
  return { text, over, asked, troubles };
}

test.for([
  NO_WATCHER,
  `${NO_WATCHER}\n`,
  'failed to watch file "/var/log/pods/x": no space left on device',
  'unable to retrieve container logs for containerd://0123',
  'rpc error: code = DeadlineExceeded desc = context deadline exceeded\n',
  '404 is a number that a stamp does not begin with\n',
])(
  'a message of the kubelet is reported as trouble and the log is requested again: %s',
  { timeout: 20_000 },
  async (words) => {
    const read = await readToEnd((nth) => (nth === 1 ? HELLO + words : HELLO + MORE));
    expect(read).toMatchObject({ text: 'hello\nmore\n', over: 'end' });
    expect(read.troubles).toEqual([`the node says: ${words.trim()}`]);
  },
);

test('a node that cannot follow a log is asked only for its lines so far', { timeout: 20_000 }, async () => {
  const read = await readToEnd((_, { follow }) => (follow ? NO_WATCHER : HELLO + MORE));
  expect(read).toMatchObject({ text: 'hello\nmore\n', over: 'end' });
  expect(read.asked.map(({ follow }) => follow).slice(0, 2)).toEqual([true, false]);
});

test('a log that the node has deleted counts as gone after a few attempts', { timeout: 20_000 }, async () => {
  const read = await readToEnd(() => 'unable to retrieve container logs for containerd://0123');
  expect(read).toMatchObject({ text: '', over: 'gone' });
  expect(read.asked.length).toBeGreaterThan(1);
});

test('part of a line that a rotation cut is delivered as output of the program', {
  timeout: 20_000,
}, async () => {
  const read = await readToEnd((nth) => (nth === 1 ? HELLO : `${HELLO}half of a line\n${MORE}`));
  expect(read).toMatchObject({ text: 'hello\nhalf of a line\nmore\n', over: 'end', troubles: [] });
});
