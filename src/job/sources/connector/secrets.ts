/**
 * Masks the values of a connector's config in texts. Only the connector knows which of them are secrets, so every text
 * counts as one, unless its key says otherwise. Pure.
 */
import { FILTERED, maskCredentials } from '../../../domain/mask.ts';
import { textOf } from '../json-object.ts';

/** Keys whose values help to understand a log. */
const HARMLESS =
  /^(host|hostname|port|database|dbname|schemas?|user|username|region|bucket|(start|end)_date|(auth_|replication_)?(type|method|mode)|option_title|streams?|tables?|format|name|url|base_url|endpoint)$/i;
/** Shorter texts would be found within ordinary words. */
const LEAST_LENGTH = 4;

/** Shorter numbers are counts and limits. */
const LEAST_DIGITS = 6;

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
      for (const form of formsOf(line)) secrets.add(form);
    }
    return;
  }
  const number = textOf(value);
  if (number !== null && number.length >= LEAST_DIGITS && !HARMLESS.test(key)) secrets.add(number);
  if (number !== null || typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    collect(inner, Array.isArray(value) ? key : name, secrets);
}

/** The forms in which the libraries of a connector write a text. */
function formsOf(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text.toWellFormed());
  // Python leaves other characters as they are than JavaScript.
  const strict = url.replaceAll(/[!'()*]/g, (sign) => `%${hexOf(sign, 2).toUpperCase()}`);
  const ofUrl = [url, strict].flatMap((form) => [form, form.replaceAll('%2F', '/')]);
  const inUrl = ofUrl.flatMap((form) => [form, form.replaceAll('%20', '+')]);
  const inJson = [
    json,
    json.replaceAll('/', String.raw`\/`),
    json.replaceAll(/[^\x20-\x7e]/g, (unit) => String.raw`\u${hexOf(unit, 4)}`),
  ];
  const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = html.replaceAll('"', '&quot;');
  return [
    text,
    ...inJson,
    // JSON as a text of JSON.
    ...inJson.map((form) => JSON.stringify(form).slice(1, -1)),
    html,
    quoted,
    quoted.replaceAll("'", '&#x27;'),
    quoted.replaceAll("'", '&#39;'),
    // As Python shows a text within a list.
    text.replaceAll('\\', '\\\\'),
    text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`),
    ...inUrl,
    ...inUrl.map((form) => form.replaceAll(/%../g, (byte) => byte.toLowerCase())),
    ...(['base64', 'base64url'] as const).map((form) => Buffer.from(text).toString(form).replace(/=+$/, '')),
  ];
}

function hexOf(unit: string, digits: number): string {
  return unit.charCodeAt(0).toString(16).padStart(digits, '0');
}
