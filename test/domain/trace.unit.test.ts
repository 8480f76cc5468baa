/** W3C Trace Context: valid and invalid traceparents, and our own, which continues the caller's. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeTraceparent, parseTraceparent, traceFields } from '../../src/domain/trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, '01'],
    [`00-${TRACE}-${SPAN}-00`, '00'],
    [`00-${TRACE}-${SPAN}-ff`, 'ff'],
    // From a future version, which may append fields.
    [`01-${TRACE}-${SPAN}-01-more`, '01'],
    [`cc-${TRACE}-${SPAN}-01`, '01'],
  ])('%s', (text, flags) => expect(parseTraceparent(text)).toEqual({ traceId: TRACE, flags }));

  test.each([
    ['nothing', undefined],
    ['nothing kept', null],
    ['an empty one', ''],
    ['more than this version has', `00-${TRACE}-${SPAN}-01-more`],
    ['an invalid version', `ff-${TRACE}-${SPAN}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['one too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['two', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a line after it', `00-${TRACE}-${SPAN}-01\n`],
    ['space around it', ` 00-${TRACE}-${SPAN}-01 `],
  ])('is refused as a traceparent: %s', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
    expect(traceFields(text)).toEqual({});
  });
});

test('for any header, ours is well-formed, has our span, and continues only a valid trace', () => {
  const ours = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const sent = fc.oneof(
    fc.string(),
    fc.string().map((text) => `00-${TRACE}-${SPAN}-01${text}`),
    fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  );
  fc.assert(
    fc.property(sent, (continues) => {
      const made = makeTraceparent({ ...ours, continues });
      expect(made).toMatch(/^00-[0-9a-f]{32}-b{16}-[0-9a-f]{2}$/);
      expect(parseTraceparent(made)?.traceId).toBe(parseTraceparent(continues)?.traceId ?? ours.traceId);
    }),
  );
});
