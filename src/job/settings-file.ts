/** Settings by name, from the settings file before the environment; a fault says where they are set. */

import { readFileSync } from 'node:fs';
import { JobError, reasonOf } from './job-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Settings = {
  /** Trimmed; undefined where it is missing or empty. */
  readonly optional: (key: string) => string | undefined;
  readonly required: (key: string) => string;
  /** One of the words that are known. */
  readonly oneOf: <const T extends string>(key: string, known: readonly T[]) => T;
  /** An address of one of these protocols, such as `https:`. */
  readonly url: (key: string, protocols: readonly string[]) => string;
  /** `what` must name the key, and never hold a value that may be secret. */
  readonly fault: (what: string) => JobError;
};

/** @throws JobError `notConfigured` if SYNCRATOR_SETTINGS_FILE cannot be read */
export function openSettings(environment: Environment): Settings {
  const file = environment['SYNCRATOR_SETTINGS_FILE'];
  const values: Environment = file ? { ...environment, ...readFile(file, environment) } : environment;
  const fault = (what: string): JobError => notConfigured(what, environment);
  const optional = (key: string): string | undefined => values[key]?.trim() || undefined;
  const required = (key: string): string => {
    const value = optional(key);
    if (value === undefined) throw fault(`${key} is missing`);
    return value;
  };
  return {
    optional,
    required,
    fault,
    oneOf(key, known) {
      const value = required(key);
      const found = known.find((word) => word === value);
      if (found === undefined) throw fault(`${key}=${value} is unknown (known: ${known.join(', ')})`);
      return found;
    },
    url(key, protocols) {
      const value = required(key);
      if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
        throw fault(`${key} is no URL of ${protocols.join(' or ')}`);
      }
      return value;
    },
  };
}

/** KEY=value lines, split at the first `=`; `#` opens a comment only at the start of a line; no quoting. */
export function parseSettingsFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, key, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line) ?? [];
    // The line itself may hold a secret, so only its number is told.
    if (key === undefined || value === undefined) throw new Error(`line ${index + 1} is not KEY=value`);
    if (key in values) throw new Error(`line ${index + 1} repeats ${key}`);
    values[key] = value.trim();
  }
  return values;
}

function readFile(file: string, environment: Environment): Record<string, string> {
  try {
    return parseSettingsFile(readFileSync(file, 'utf8'));
  } catch (error) {
    throw notConfigured(`SYNCRATOR_SETTINGS_FILE ${file}: ${reasonOf(error)}`, environment, error);
  }
}

function notConfigured(what: string, environment: Environment, cause?: unknown): JobError {
  const key = [environment['SYNCRATOR_ENV'] || '<env>', environment['SYNCRATOR_TARGET'] || '<target>'].join(
    '-',
  );
  return new JobError('notConfigured', `${what}; set it in syncrator-envtarget-${key}`, { cause });
}
