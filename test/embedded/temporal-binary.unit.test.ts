import { expect, test } from 'vitest';
import { noTemporal } from '../../src/embedded/temporal-binary.ts';

test('without Go and download, the message names the archive and its target path', () => {
  const text = noTemporal(['Go is not on PATH to build it'], '/home/x/.cache/syncrator/bin/temporal');
  expect(text).toContain('Go is not on PATH to build it');
  expect(text).toMatch(/fetch https:\/\/temporal\.download\/\S+platform=linux&arch=(amd64|arm64) /);
  expect(text).toContain('put it at /home/x/.cache/syncrator/bin/temporal or onto PATH');
  expect(text).toMatch(/install Go 1\.\d+ or newer/);
  expect(text).toContain('TEMPORAL_ADDRESS');
});
