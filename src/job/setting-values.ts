/** Parses settings that are numbers, durations, sizes, flags or secrets. Each function throws an error that names the key. */
import { readFileSync } from 'node:fs';
import type { Settings } from './settings-file.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UNIT_BYTES = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** `true` or `false`; a missing setting is false. */
export function readFlag({ optional, fault }: Settings, key: string): boolean {
  const text = optional(key) ?? 'false';
  if (text !== 'true' && text !== 'false') throw fault(`${key} is neither true nor false`);
  return text === 'true';
}

export function readCount({ optional, fault }: Settings, key: string, most: number): number | null {
  const text = optional(key);
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text) || Number(text) > most)
    throw fault(`${key} is not a number from 0 to ${most}`);
  return Number(text);
}

/** 0 to 100. */
export function readPercent({ optional, fault }: Settings, key: string): number | null {
  const text = optional(key);
  if (text === undefined) return null;
  if (!/^\d{1,3}(\.\d+)?$/.test(text) || Number(text) > 100)
    throw fault(`${key} is not a number from 0 to 100`);
  return Number(text);
}

/** `90s`, `15m`, `1h` or `2d`, in milliseconds. */
export function readDuration({ optional, fault }: Settings, key: string, otherwise: string): number {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(optional(key) ?? otherwise) ?? [];
  if (number === undefined)
    throw fault(`${key} is not a duration: expected a form such as 90s, 15m, 1h or 2d`);
  return Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** `16777216`, `512KiB`, `16MiB`, `1GiB` or `1TiB`, in bytes. */
export function readSize({ optional, fault }: Settings, key: string): number | null {
  const text = optional(key);
  if (text === undefined) return null;
  const [, number, unit = ''] = /^(\d{1,12})(KiB|MiB|GiB|TiB)?$/.exec(text) ?? [];
  const bytes = Number(number) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES];
  if (!Number.isSafeInteger(bytes))
    throw fault(`${key} is not a size: expected a form such as 512MiB or 20GiB`);
  return bytes;
}

/** The secret `key`, or the text of the file that `<key>_FILE` names, without its final newline; undefined without both. */
export function readSecret({ optional, fault }: Settings, key: string): string | undefined {
  const [value, file] = [optional(key), optional(`${key}_FILE`)];
  if (file === undefined) return value;
  if (value !== undefined) throw fault(`${key} and ${key}_FILE are both set, and only one is allowed`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // The message of the error quotes the path, which is the secret itself if someone mixes up the two settings.
    throw fault(
      `${key}_FILE cannot be read (${(error as NodeJS.ErrnoException).code}); correct the path or its rights`,
    );
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw fault(`${key}_FILE names an empty file; write the secret into it`);
  return secret;
}
