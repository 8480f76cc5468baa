import { describe, expect, it } from 'vitest';
import { createMask } from '../../../../src/job/sources/connector/secrets.ts';

const mask = createMask({
  host: 'db.example.org',
  port: 5432,
  user: 'reader',
  credentials: { auth_type: 'oauth2', refresh: 'r3fresh me/&', more: ['first-of-list'] },
  key: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n',
  short: 'abc',
  prefix: 'r3fresh',
  odd: `Zebra'cross\\ing/9 ü"q`,
  pin: 12345678,
  count: 1000,
});

describe('the words of a connector', () => {
  it.each([
    ['login of reader at db.example.org:5432 by oauth2', 'login of reader at db.example.org:5432 by oauth2'],
    ['sent r3fresh me/& twice: r3fresh me/&', 'sent <FILTERED> twice: <FILTERED>'],
    ['GET /?refresh=r3fresh%20me%2F%26', 'GET /?refresh=<FILTERED>'],
    ['only r3fresh', 'only <FILTERED>'],
    ['a list with first-of-list', 'a list with <FILTERED>'],
    ['kqhkiG9w0BAQEF', '<FILTERED>'],
    ['abcdef', 'abcdef'],
    ['pin 12345678 after 1000', 'pin <FILTERED> after 1000'],
    [String.raw`"Zebra'cross\\ing/9 \u00fc\"q"`, '"<FILTERED>"'],
    [String.raw`"Zebra'cross\\ing\/9 ü\"q"`, '"<FILTERED>"'],
    [String.raw`{\"x\": \"Zebra'cross\\\\ing/9 \\u00fc\\\"q\"}`, String.raw`{\"x\": \"<FILTERED>\"}`],
    [String.raw`['Zebra\'cross\\ing/9 ü"q']`, "['<FILTERED>']"],
    ['/Zebra%27cross%5Cing/9%20%C3%BC%22q', '/<FILTERED>'],
    ['?q=Zebra%27cross%5cing%2f9+%c3%bc%22q', '?q=<FILTERED>'],
    ['Zebra&#x27;cross\\ing/9 ü&quot;q', '<FILTERED>'],
    [Buffer.from(`Zebra'cross\\ing/9 ü"q`).toString('base64'), '<FILTERED>=='],
    ['postgres://reader:other@db.example.org/x', 'postgres://<FILTERED>@db.example.org/x'],
  ])('%s become %s', (text, shown) => {
    expect(mask(text)).toBe(shown);
  });
});
