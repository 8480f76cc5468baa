/**
 * Looks up settings by name, in the settings file first, then in the environment. Errors name the place to set
 * them.
 */
import { readFileSync } from 'node:fs';
import { JobError, reasonOf } from './job-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Settings = {
  /** The trimmed value; undefined if missing or empty. */
  readonly optional: (key: string) => string | undefined;
  readonly required: (key: string) => string;
  /** The value, which must be one of `known`. */
  readonly oneOf: <const T extends string>(key: string, known: readonly T[]) => T;
  /** The value, which must be a URL with one of `protocols`, such as `https:`. */
  readonly url: (key: string, protocols: readonly string[]) => string;
  /** Makes the error. `what` must name the key and never contain a possibly secret value. */
  readonly fault: (what: string) => JobError;
};

/** @throws JobError `notConfigured` if SYNCRATOR_SETTINGS_FILE cannot be read or parsed */
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
      if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol))
        throw fault(`${key} is not a URL that begins with ${protocols.join(' or ')}`);
      return value;
    },
  };
}

/** Parses KEY=value lines, split at the first `=`; `#` begins a comment only at the start of a line; no quoting. */
export function parseSettingsFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, key, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line) ?? [];
    // The line may hold a secret, so the error gives only its number.
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
    const named = environment['SYNCRATOR_SETTINGS_COPY_OF'] ?? file;
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === 'ENOENT'
        ? `the settings file ${named} does not exist; create it with the settings of source and sink`
        : `cannot read the settings file ${named}: ${reasonOf(error).replaceAll(file, named)}; correct it`;
    throw new JobError('notConfigured', message, { cause: error });
  }
}

function notConfigured(what: string, environment: Environment): JobError {
  return new JobError('notConfigured', `${what}; set it in ${placeOfSettings(environment)}`);
}

/** The place where an operator edits the settings; it depends on the runner. */
function placeOfSettings(environment: Environment): string {
  // Under its own system user the program reads a copy; the operator edits the original.
  const file = environment['SYNCRATOR_SETTINGS_COPY_OF'] ?? environment['SYNCRATOR_SETTINGS_FILE'];
  if (file) return file;
  const [env, target] = [environment['SYNCRATOR_ENV'], environment['SYNCRATOR_TARGET']];
  if (!environment['KUBERNETES_SERVICE_HOST'] || !env || !target) return 'the environment';
  // Kubernetes names contain no `_`; src/runner/kubernetes/render.ts replaces it in the same way.
  const name = `syncrator-envtarget-${env}-${target}`.replaceAll('_', '-');
  return `Secret or ConfigMap ${name}`;
}
