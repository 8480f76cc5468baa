/**
 * Masks the values of a connector's config in texts. Only the connector knows which of them are secrets, so every text
 * counts as one, unless its key says otherwise. Pure.
 */
import { FILTERED, maskCredentials } from '../../../domain/mask.ts';

/** Keys whose values help to understand a log. */
const HARMLESS =
  /^(host|hostname|port|database|dbname|schemas?|user|username|region|bucket|(start|end)_date|(auth_|replication_)?(type|method|mode)|option_title|streams?|tables?|format|name|url|base_url|endpoint)$/i;
/** Shorter texts would be found within ordinary words. */
const LEAST_LENGTH = 4;

/** @returns masks these secrets, and everything that looks like one */
export function createMask(config: unknown): (text: string) => string {
  const secrets = new Set<string>();
  collect(config, '', secrets);
  // Longer ones first: one secret may be a part of another.
  const known = [...secrets].toSorted((a, b) => b.length - a.length);
  return (text) => maskCredentials(known.reduce((shown, secret) => shown.replaceAll(secret, FILTERED), text));
}

function collect(value: unknown, key: string, secrets: Set<string>): void {
  if (typeof value === 'string') {
    if (HARMLESS.test(key)) return;
    // A log has lines, and a key in PEM form has several.
    for (const line of [value, ...value.split(/\r?\n|\\n/)].map((text) => text.trim())) {
      if (line.length < LEAST_LENGTH) continue;
      for (const form of [line, JSON.stringify(line).slice(1, -1), encodedForUrl(line)]) secrets.add(form);
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    collect(inner, Array.isArray(value) ? key : name, secrets);
}

function encodedForUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
