/** Completion finds the place of a line in the tree of commands, and the tree has every place with suggestions. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { complete, placesOf } from '../../src/cli/completion.ts';
import { placeOf } from '../../src/cli/completion-place.ts';
import { createProgram } from '../../src/cli/program.ts';

const program = createProgram({});

function place(...words: string[]) {
  const { path, option, argument, typed, prefix } = placeOf(program, words);
  return [path, option?.long ?? argument?.name() ?? '', prefix + typed];
}

test('every place with suggestions is in the tree', () => {
  const names = { starts: [], targets: [], schedules: [], jobs: [], losses: [], plans: [] };
  for (const key of placesOf(names, []).keys()) {
    const words = key.split(' ');
    const last = words.pop() ?? '';
    // The value of an option, or an argument of the command.
    if (last.startsWith('--')) expect(place(...words, last, '')).toEqual([words.join(' '), last, '']);
    else {
      const { command, path } = placeOf(program, [...words, '']);
      expect([path, command.registeredArguments.map((argument) => argument.name())]).toEqual([
        words.join(' '),
        expect.arrayContaining([last]),
      ]);
    }
  }
});

test.each([
  [
    ['sync', ''],
    ['sync', 'target', ''],
  ],
  [
    ['sync', 'avo', 'q'],
    ['sync', 'env', 'q'],
  ],
  [
    ['sync', 'avo', 'qas', ''],
    ['sync', '', ''],
  ],
  [
    ['--url', 'http://x', 'sync', 'avo', ''],
    ['sync', 'env', ''],
  ],
  [
    ['--url=http://x', 'sync', '--follow', 'avo', ''],
    ['sync', 'env', ''],
  ],
  [
    ['jobs', '-s', ''],
    ['jobs', '--status', ''],
  ],
  [
    ['jobs', 'list', '--status=fa'],
    ['jobs list', '--status', '--status=fa'],
  ],
  [
    ['jobs', 'show', '--', '--st'],
    ['jobs show', 'id', '--st'],
  ],
  [
    ['jobs', 'show', '""'],
    ['jobs show', 'id', ''],
  ],
  [
    ['jobs', 'nonsense', ''],
    ['jobs', '', ''],
  ],
])('%j is at %j', (words, is) => {
  expect(place(...words)).toEqual(is);
});

test('an unfinished address is not called: the token might go to another host', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url, headers: { authorization } }, response) => {
    asked.push(url, authorization);
    response.end('[]');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const press = async (...words: string[]) =>
    await complete(createProgram({}), words, { SYNCRATOR_TOKEN: 'secret' });
  await press('jobs', 'list', '--url', url);
  await press('jobs', 'list', `--url=${url}`);
  expect(asked).toEqual([]);
  await press('targets', '--url', url, '');
  expect(asked).toEqual(['/targets', 'Bearer secret']);
  server.close();
  server.closeAllConnections();
});
