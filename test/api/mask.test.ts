/** Credentials in texts of programs. */
import { expect, it } from 'vitest';
import { maskCredentials } from '../../src/domain/mask.ts';
import { nearest } from '../../src/domain/near.ts';

it.each([
  ['postgres://user:pass@host:5432/db', 'postgres://<FILTERED>@host:5432/db'],
  ['postgres://user:p@ss@host/db', 'postgres://<FILTERED>@host/db'],
  ['{"url":"amqp://me:x@q/","to":"a@b.c"}', '{"url":"amqp://<FILTERED>@q/","to":"a@b.c"}'],
  ['https://token@h/?token=x&page=2', 'https://<FILTERED>@h/?token=<FILTERED>&page=2'],
  ['mail a@b.c about https://h/x', 'mail a@b.c about https://h/x'],
  [`TOKEN=syn_0123456789abcdef_${'aZ-_'.repeat(10)}abc;`, 'TOKEN=syn_0123456789abcdef_<FILTERED>;'],
  ['-n 1000 -c 1', '-n 1000 -c 1'],
])('%s is shown as %s', (text, shown) => {
  expect(maskCredentials(text)).toBe(shown);
});

it('takes no long time over a hostile text', () => {
  const began = performance.now();
  maskCredentials('//a'.repeat(300_000));
  expect(performance.now() - began).toBeLessThan(500);
});

it('names what somebody may have meant', () => {
  expect(nearest('avo', ['avo2', 'avosubtitles', 'cities'])).toEqual(['avo2', 'avosubtitles']);
  expect(nearest('zzzzzzz', ['avo'])).toEqual([]);
});
