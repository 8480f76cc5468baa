import { expect, it } from 'vitest';
import { faultIn, SOURCE_FAULTS, withFault } from '../../src/domain/source-fault.ts';

it.each(SOURCE_FAULTS)('%s is found again at the end of a message', (fault) => {
  expect(faultIn(withFault('GET https://example.org/ [no]', fault))).toBe(fault);
  expect(faultIn(`${withFault('in a log', fault)}\n`)).toBe(fault);
});

it.each([
  '',
  'sink: cannot connect',
  '[timeout] came first',
  'GET x [unknown_word]',
  '[toString]',
  'timeout]',
])('%j names none', (message) => expect(faultIn(message)).toBeUndefined());
