/** Numbers of records keep all their digits. */
import { expect, it } from 'vitest';
import { hasDelicateNumbers, parseExactly } from '../../../src/job/sources/record-number.ts';

it.each([
  '{"a":9007199254740993}',
  '{"a":1.50}',
  '{"a":[1,-0.0]}',
  '{"a":1e2}',
  '{"a":1.0E-7}',
  '{"a":0.1000000000000000055}',
  '{"a":12.345678901234567890}',
  '{"a":48.85341,"b":[2.3488,{"c":123456789012345678}]}',
  '{"t":"12:30, 2.5000000000000001 of","a":1.10}',
])('%s holds a number that JavaScript would change', (line) => {
  expect(hasDelicateNumbers(line)).toBe(true);
  expect(JSON.stringify(parseExactly(line))).toBe(line);
});

it('a double in its shortest form needs no exact reading', () => {
  expect(hasDelicateNumbers('{"lat":48.853410000000004,"lng":-2.3487999999999998}')).toBe(false);
  expect(hasDelicateNumbers('{"n":9007199254740991,"m":4503599627370496}')).toBe(false);
});

it('a time needs no exact reading', () => {
  const line = '{"at":"2026-01-01T09:30:00.000000Z","day":"2026-01-01T00:00:00.120+00:00","n":1}';
  expect(hasDelicateNumbers(line)).toBe(false);
});

it('a long text of digits is searched in linear time', () => {
  const seconds = (length: number) => {
    const line = `{"t":":${'1'.repeat(length)} ${':1.'.repeat(length / 4)}${' '.repeat(length)}x"}`;
    const began = performance.now();
    for (let round = 0; round < 3; round++) hasDelicateNumbers(line);
    return performance.now() - began;
  };
  seconds(1_000_000);
  expect(seconds(4_000_000)).toBeLessThan(40 * seconds(400_000) + 50);
});

it('every number is either unchanged by JavaScript or read exactly', () => {
  for (let at = 0; at < 5_000; at++) {
    const number = randomNumber();
    const line = `{"a":${number},"t":"x","b":[${randomNumber()},${number}]}`;
    const read = hasDelicateNumbers(line) ? parseExactly(line) : JSON.parse(line);
    expect(JSON.stringify(read), line).toBe(line);
  }
});

/** As programs write them: integers of up to 20 digits, fractions of up to 18, exponents. */
function randomNumber(): string {
  const whole = digits(1 + below(20)).replace(/^0+(?=\d)/, '');
  const fraction = below(2) === 0 ? '' : `.${digits(1 + below(18))}`;
  const power = below(5) === 0 ? `${'eE'[below(2)]}${['', '+', '-'][below(3)]}${below(30)}` : '';
  const sign = below(3) === 0 && /[1-9]/.test(whole + fraction) ? '-' : '';
  return below(3) === 0 ? String((Math.random() - 0.5) * 10 ** below(20)) : sign + whole + fraction + power;
}

function digits(count: number): string {
  return Array.from({ length: count }, () => String(below(10))).join('');
}

function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}
