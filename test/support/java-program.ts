/**
 * Builds a server of the tests that is written in Java: its jars from Maven Central, its one class compiled by the
 * machine's Java.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from '../../src/embedded/progress-ticker.ts';
import { cacheDir } from '../../src/embedded/temporal-binary.ts';

const run = promisify(execFile);
const LIMIT_MS = 10 * 60_000;
const INSTALL = 'apt-get install --no-install-recommends openjdk-17-jre-headless maven';

export type JavaProgram = {
  /** As people call it. */
  readonly name: string;
  /** Folder with pom.xml. */
  readonly folder: string;
  /** The source of the class. */
  readonly source: string;
  readonly version: string;
  /** Further arguments of Maven. */
  readonly maven?: readonly string[];
};

/** The machine's Java, or that of JAVA_HOME. */
export function java(): string {
  const home = process.env['JAVA_HOME'];
  return home ? path.join(home, 'bin', 'java') : 'java';
}

/**
 * The class path for `java`.
 * @throws Error in one line that says what to install
 */
export async function javaProgram(of: JavaProgram, onProgress: (line: string) => void): Promise<string> {
  await run(java(), ['-version'], { timeout: 30_000 }).catch((cause: unknown) => {
    throw new Error(`running ${of.name} needs java on PATH: ${INSTALL}`, { cause });
  });
  const parts = [path.join(of.folder, 'pom.xml'), path.join(of.folder, of.source)].map((file) =>
    readFileSync(file),
  );
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const made = hash.digest('hex').slice(0, 8);
  const folder = path.join(cacheDir(), `${of.name.toLowerCase()}-${of.version}-${made}`);
  if (!existsSync(folder)) await make(of, folder, onProgress);
  return [path.join(folder, 'classes'), path.join(folder, 'lib', '*')].join(path.delimiter);
}

/** Builds all of it or nothing, also when two runs build at once. */
async function make(of: JavaProgram, folder: string, onProgress: (line: string) => void): Promise<void> {
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-draft-`);
  try {
    const lib = path.join(draft, 'lib');
    await withProgress(`getting ${of.name} from Maven Central (once)`, onProgress, () => copyJars(of, lib));
    const jars = readdirSync(lib).map((jar) => path.join(lib, jar));
    // Called by its module: Debian's runtime package has the compiler, but not the command `javac`.
    const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main', '-nowarn'];
    const source = path.join(of.folder, of.source);
    const to = ['-classpath', jars.join(path.delimiter), '-d', path.join(draft, 'classes'), source];
    await run(java(), [...compiler, ...to], { timeout: LIMIT_MS });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function copyJars({ name, folder, maven = [] }: JavaProgram, to: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${to}`];
  const file = `--file=${path.join(folder, 'pom.xml')}`;
  await run('mvn', ['--quiet', '--batch-mode', file, ...maven, ...goal], { timeout: LIMIT_MS }).catch(
    (cause: Error & { stdout?: string }) => {
      const said = cause.stdout?.split('\n').find((line) => line.includes('ERROR')) ?? cause.message;
      throw new Error(
        `cannot build ${name} (${INSTALL}; or Maven Central is unreachable): ${said.slice(0, 300)}`,
        { cause },
      );
    },
  );
}

/** Prints the class path, for `npm run get:…`. */
export async function printProgram(
  get: (onProgress: (line: string) => void) => Promise<string>,
): Promise<void> {
  try {
    console.log(await get((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
