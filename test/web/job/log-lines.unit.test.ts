/** LogLines yields the same lines for every way to cut a log into chunks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogLines } from '../../../src/web/job/log-lines.ts';

test('chunks cut anywhere give the lines of the whole text, and repeated chunks are ignored', () => {
  const lines = fc.array(
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(40), { maxLength: 10 }), (written, cuts) => {
      const text = written.map((line) => `${line}\n`).join('');
      const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted(
        (a, b) => a - b,
      );
      const log = new LogLines();
      for (const [at, from] of places.entries()) {
        const chunk = text.slice(from, places[at + 1]);
        if (chunk === '') continue;
        const part = { offset: from, end: from + chunk.length, text: chunk };
        log.add(part);
        log.add(part);
      }
      expect(log.count).toBe(written.length);
      expect(Array.from({ length: log.count }, (_, at) => log.at(at))).toEqual(written);
      expect(log.end).toBe(text.length);
    }),
  );
});

test('an unfinished line is shown and searched', () => {
  const log = new LogLines();
  log.add({ offset: 0, end: 8, text: 'one\r\ntwo' });
  expect([log.count, log.at(0), log.at(1), log.search('TW')]).toEqual([2, 'one', 'two', [1]]);
  log.add({ offset: 8, end: 20, text: ' and a half\n' });
  expect([log.count, log.at(1)]).toEqual([2, 'two and a half']);
});
