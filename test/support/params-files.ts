/** Writes params files for the stand-in of the sync program. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Runs the stand-in, whose OPTIONS are its own. */
export const STEP_PROGRAM = path.resolve(import.meta.dirname, 'programs/step.ts');

export type ParamsFile = {
  readonly target: string;
  readonly action: string;
  /** `dev` by default. */
  readonly env?: string;
  readonly options?: string;
  /** The stand-in by default; null: no COMMAND, so our own program. */
  readonly command?: string | null;
  /** Whether callers may choose the stand-in's options; true by default. False leaves the key out. */
  readonly callerOptions?: boolean;
  /** Further lines, each with its newline. */
  readonly more?: string;
};

/** Its path in the folder of params files, and its text. */
export function paramsFile(of: ParamsFile): [file: string, text: string] {
  const { target, action, env = 'dev', options = '', command = `node ${STEP_PROGRAM}`, more = '' } = of;
  const program = command === null ? '' : `COMMAND=${command}\n`;
  const allowed = command !== null && (of.callerOptions ?? true) ? 'CALLER_OPTIONS=true\n' : '';
  return [
    `${env}/${target}-${action}.public_params`,
    `TARGET=${target}\nENV=${env}\nACTION_NAME=${action}\nACTION=${action}\nIS_TAG=latest\nOPTIONS=${options}\n` +
      `${program}${allowed}${more}`,
  ];
}

/** Writes them below `<dir>/job_params`. @returns that folder */
export function writeParams(dir: string, files: readonly (readonly [file: string, text: string])[]): string {
  const folder = path.join(dir, 'job_params');
  for (const [file, text] of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}
