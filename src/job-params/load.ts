/**
 * Loads `job_params/<env>/<target>-<action>.public_params`, which nothing else reads. All files are read and
 * checked together, at the start and after a change (`live-params.ts`); requests only look up the result and never
 * open a file.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { settingsKey } from '../domain/names.ts';
import { decodeParams } from '../domain/params-text.ts';
import { type ParamsFault, type ParamsFile, parseParamsFile, type Schedule } from './parse.ts';

export type { ParamsFault, ParamsFile, Schedule } from './parse.ts';

/** Thrown for a bad file; the message is `<file>:<line>: <key>: <fault>`. */
export class JobParamsError extends Error {}

/**
 * All declared jobs, looked up by the parts of a request's path. A reload replaces them in place and all at once, so
 * nobody may keep a part of them beyond one request or one pass of a loop.
 */
export class JobParams {
  #files: readonly ParamsFile[] = [];
  #byPath: ReadonlyMap<string, ParamsFile> = new Map();
  #loadedAt = new Date();
  #faults: readonly ParamsFault[] = [];

  constructor(files: readonly ParamsFile[]) {
    this.replace(files);
  }

  get files(): readonly ParamsFile[] {
    return this.#files;
  }

  /** When they were last read from good files. */
  get loadedAt(): Date {
    return this.#loadedAt;
  }

  /** Of the files on disk. While there are any, these params are older than the files: the last good state. */
  get faults(): readonly ParamsFault[] {
    return this.#faults;
  }

  /** Every lookup from now on finds these files and no other. */
  replace(files: readonly ParamsFile[]): void {
    const alone = files.filter((f) => f.targetPattern === null);
    this.#loadedAt = new Date();
    this.#faults = [];
    this.#files = files;
    this.#byPath = new Map(alone.map((f) => [`${f.env}/${f.name}/${f.parameters.action_name}`, f]));
  }

  /** The files on disk are faulty: these params stay in use as they are. */
  keepDespite(faults: readonly ParamsFault[]): void {
    this.#faults = faults;
  }

  /** The file behind `/<action>/<target>/<env>`; undefined when it is not declared. */
  find(input: { env: string; name: string; action: string }): ParamsFile | undefined {
    const { env, name, action } = input;
    return (
      this.#byPath.get(`${env}/${name}/${action}`) ??
      this.filesOf({ env, target: name }).find(
        (f) => f.targetPattern !== null && f.parameters.action_name === action,
      )
    );
  }

  /**
   * The files that declare a target in an environment: by file name, else by TARGET, else by a TARGET_PATTERN that
   * matches it; the last as if written for that target. A pattern never matches a target declared by name.
   */
  filesOf(input: { env: string; target: string }): readonly ParamsFile[] {
    const { env, target } = input;
    const inEnv = this.files.filter((f) => f.env === env);
    const alone = inEnv.filter((f) => f.targetPattern === null);
    const named = alone.filter((f) => f.name === target);
    if (named.length > 0) return named;
    const locked = alone.filter((f) => f.target === target);
    if (locked.length > 0) return locked;
    return inEnv
      .filter((f) => f.targetPattern?.fits(target) === true)
      .map((f) => ({ ...f, name: target, target }));
  }

  get schedules(): readonly (ParamsFile & { readonly schedule: Schedule })[] {
    return this.files.filter((f): f is ParamsFile & { schedule: Schedule } => f.schedule !== null);
  }
}

/**
 * Reads all files below a folder.
 * @throws JobParamsError naming file, line and key of the first fault
 */
export async function loadJobParams(dir: string): Promise<JobParams> {
  const { files, faults } = await checkJobParams(dir);
  if (faults[0]) throw new JobParamsError(faultText(faults[0]));
  return new JobParams(files);
}

export function faultText({ file, line, key, fault }: ParamsFault): string {
  return [line === null ? file : `${file}:${line}`, ...(key === null ? [] : [key]), fault].join(': ');
}

/**
 * Every good file below a folder, and every fault of the others.
 * @throws JobParamsError when the folder cannot be read
 */
export async function checkJobParams(
  dir: string,
): Promise<{ files: readonly ParamsFile[]; faults: readonly ParamsFault[] }> {
  const files: ParamsFile[] = [];
  const faults: ParamsFault[] = [];
  const environments = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new JobParamsError(`${dir}: cannot be read`, { cause });
  });
  for (const env of environments
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort()) {
    const entries = await readdir(path.join(dir, env));
    // A mounted ConfigMap has entries such as `..data` beside its files.
    for (const entry of entries.filter((name) => !name.startsWith('.')).sort()) {
      const file = path.join(path.basename(dir), env, entry);
      const [, name, action] = /^([a-z0-9][-_a-z0-9]*)-([A-Za-z0-9_]+)\.public_params$/.exec(entry) ?? [];
      if (name === undefined || action === undefined) {
        faults.push({
          file,
          line: null,
          key: null,
          fault: 'the name is not <target>-<action>.public_params',
        });
        continue;
      }
      const text = decodeParams(await readFile(path.join(dir, env, entry)));
      if (typeof text !== 'string') {
        faults.push({ file, key: null, ...text });
        continue;
      }
      const parsed = parseParamsFile(text, { file, env, name, action });
      if ('parameters' in parsed) files.push(parsed);
      else faults.push(...parsed);
    }
  }
  const clashes = files.flatMap((file, at) => clashesOf(file, files.slice(0, at)));
  return { files, faults: [...faults, ...clashes, ...files.flatMap((file) => unpromotable(file, files))] };
}

/** A PROMOTE_FROM where the action is not declared would refuse every start. */
function unpromotable(
  { target, parameters, conflicts, ...of }: ParamsFile,
  all: readonly ParamsFile[],
): ParamsFault[] {
  const { promotion } = conflicts;
  if (promotion === null) return [];
  const isThere = all.some(
    (other) =>
      other.env === promotion.from &&
      (other.target === target || other.targetPattern?.fits(target) === true) &&
      other.parameters.action === parameters.action,
  );
  if (isThere) return [];
  const fault = `env '${promotion.from}' declares no action '${parameters.action}' of target '${target}', so no start could ever be promoted`;
  return [{ file: of.file, line: 1, key: 'PROMOTE_FROM', fault }];
}

/** Faults of two files whose generated names are equal: each would use the other's settings or schedule. */
function clashesOf(file: ParamsFile, before: readonly ParamsFile[]): ParamsFault[] {
  return before.flatMap((other) => {
    const at = { file: file.file, line: 1 };
    const clashes: ParamsFault[] = [];
    const isSameTarget = other.env === file.env && other.target === file.target;
    if (!isSameTarget && settingsKey(other) === settingsKey(file))
      clashes.push({
        ...at,
        key: 'TARGET',
        fault: `'${file.target}' would share its settings '${settingsKey(file)}' with ${other.file}`,
      });
    if (file.schedule && other.schedule?.id === file.schedule.id)
      clashes.push({
        ...at,
        key: 'SCHEDULE',
        fault: `its name ${file.schedule.id} is already used by ${other.file}`,
      });
    return clashes;
  });
}
