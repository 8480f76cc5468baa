/** The formats of settings, each with the message for a value that does not match. */
import { z } from 'zod';
import { AGE_WORDS, parseAge } from '../domain/age.ts';

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** https, or http on this machine: anybody could forge keys on an unencrypted line. */
export function isTrusted(url: URL): boolean {
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const isBare = url.username === '' && url.password === '' && url.hash === '';
  return isBare && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere));
}
export const trustedUrl = z
  .url()
  .refine(
    (text) => URL.canParse(text) && isTrusted(new URL(text)),
    'must be https://… (http:// only on this machine)',
  );
/** A target and its environment, in the form of a path. */
export const targetAndEnv = z
  .string()
  .regex(/^[^/]+\/[^/]+$/, 'must be <target>/<env>, as in POST /sync/<target>/<env>')
  .transform((text) => {
    const [name = '', env = ''] = text.split('/');
    return { name, env };
  });
const UNITS = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
/** `16777216`, `512KiB`, `16MiB` or `1GiB`: bytes. */
export const size = z
  .string()
  .regex(/^\d{1,10}(KiB|MiB|GiB)?$/, 'must be bytes, or a number of KiB, MiB or GiB, such as 16MiB')
  .transform((text) => {
    const number = Number.parseInt(text, 10);
    return number * UNITS[text.replace(/^\d+/, '') as keyof typeof UNITS];
  });
/** `90d`, or `off`: seconds, or undefined for ever. */
export const age = z.string().transform((text, context) => {
  if (text === 'off') return undefined;
  const seconds = parseAge(text);
  if (seconds === undefined) context.addIssue(`${AGE_WORDS}, or off`);
  return seconds;
});
/** `syncrator.example.org`; `*.example.org` for every name below it, `*` for all. No scheme, no port. */
export const hostName = z
  .string()
  .regex(
    /^(\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)$/,
    'must be host names, without scheme and port',
  );
export const seconds = (least: number, most: number) =>
  z.coerce.number().int().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
export const port = z.coerce.number().int().min(0).max(65535);

/** A value that one of our parsers accepts; the parser's error is the message. */
export function parsedBy<T>(parser: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parser(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  };
}
export const names = (text: string) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
