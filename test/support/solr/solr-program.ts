/**
 * Finds the SolrCloud of the tests, or builds it: its jars from Maven Central, its one class compiled by the
 * machine's Java.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from '../../../src/embedded/progress-ticker.ts';
import { cacheDir } from '../../../src/embedded/temporal-binary.ts';

const run = promisify(execFile);
const POM = path.join(import.meta.dirname, 'pom.xml');
const SOURCE = path.join(import.meta.dirname, 'SolrForTests.java');
const LIMIT_MS = 10 * 60_000;
const INSTALL = 'apt-get install --no-install-recommends openjdk-17-jre-headless maven';

/**
 * The class path for `java`; its class `SolrForTests` is the server.
 * @throws Error in one line that says what to install
 */
export async function solrProgram(onProgress: (line: string) => void): Promise<string> {
  await run('java', ['-version'], { timeout: 30_000 }).catch((cause: unknown) => {
    throw new Error(`running Solr needs java on PATH: ${INSTALL}`, { cause });
  });
  const pom = readFileSync(POM, 'utf8');
  const version = /solr-test-framework<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1];
  const made = createHash('sha256').update(pom).update(readFileSync(SOURCE)).digest('hex').slice(0, 8);
  const folder = path.join(cacheDir(), `solr-${version}-${made}`);
  if (!existsSync(folder)) await make(folder, onProgress);
  return [path.join(folder, 'classes'), path.join(folder, 'lib', '*')].join(path.delimiter);
}

/** Builds all of it or nothing, also when two runs build at once. */
async function make(folder: string, onProgress: (line: string) => void): Promise<void> {
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-draft-`);
  try {
    const lib = path.join(draft, 'lib');
    await withProgress('getting Solr from Maven Central (once)', onProgress, () => copyJars(lib));
    const jars = readdirSync(lib).map((jar) => path.join(lib, jar));
    // Called by its module: Debian's runtime package has the compiler, but not the command `javac`.
    const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main'];
    const to = ['-classpath', jars.join(path.delimiter), '-d', path.join(draft, 'classes'), SOURCE];
    await run('java', [...compiler, ...to], { timeout: LIMIT_MS });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function copyJars(to: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${to}`];
  await run('mvn', ['--quiet', '--batch-mode', `--file=${POM}`, ...goal], { timeout: LIMIT_MS }).catch(
    (cause: Error & { stdout?: string }) => {
      const said = cause.stdout?.split('\n').find((line) => line.includes('ERROR')) ?? cause.message;
      throw new Error(
        `cannot build Solr (${INSTALL}; or Maven Central is unreachable): ${said.slice(0, 300)}`,
        {
          cause,
        },
      );
    },
  );
}

if (import.meta.main) {
  try {
    console.log(await solrProgram((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
