/** Finds Temporal's time-skipping test server, or builds it: its jars from Maven Central, run by the machine's Java. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from '../../src/embedded/progress-ticker.ts';
import { cacheDir } from '../../src/embedded/temporal-binary.ts';

const POM = path.join(import.meta.dirname, 'time-skipping-server.pom.xml');
const LIMIT_MS = 5 * 60_000;
const INSTALL = 'apt-get install --no-install-recommends openjdk-17-jre-headless maven';

/**
 * The path of a program that takes the port and `--enable-time-skipping`, as the SDK starts it. The SDK's own
 * download needs a host that package mirrors do not have.
 * @throws Error in one line that says what to install
 */
export async function timeSkippingServer(onProgress: (line: string) => void): Promise<string> {
  const version = /temporal-test-server<\/artifactId>\s*<version>([^<]+)</.exec(
    readFileSync(POM, 'utf8'),
  )?.[1];
  const folder = path.join(cacheDir(), `temporal-test-server-${version}`);
  const program = path.join(folder, 'run');
  if (!existsSync(program)) await get(folder, onProgress);
  await promisify(execFile)('java', ['-version'], { timeout: 30_000 }).catch((cause: unknown) => {
    throw new Error(`running Temporal's time-skipping server needs java on PATH: ${INSTALL}`, { cause });
  });
  return program;
}

/** Builds all of it or nothing, also when two runs build at once. */
async function get(folder: string, onProgress: (line: string) => void): Promise<void> {
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-draft-`);
  try {
    await withProgress('getting the time-skipping server from Maven Central (once)', onProgress, () =>
      promisify(execFile)(
        'mvn',
        [
          '--quiet',
          '--batch-mode',
          `--file=${POM}`,
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
          `-DoutputDirectory=${path.join(draft, 'lib')}`,
        ],
        { timeout: LIMIT_MS },
      ),
    ).catch((cause: Error & { stdout?: string }) => {
      const said = cause.stdout?.split('\n').find((line) => line.includes('ERROR')) ?? cause.message;
      throw new Error(
        `cannot build the time-skipping server (${INSTALL}; or Maven Central is unreachable): ${said.slice(0, 300)}`,
        { cause },
      );
    });
    const jars = path.join(folder, 'lib', '*');
    const java = `exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp '${jars}' io.temporal.testserver.TestServer "$@"`;
    // Its logging library complains on standard error that it has nothing to log to.
    writeFileSync(path.join(draft, 'run'), `#!/bin/sh\n${java} 2>/dev/null\n`, { mode: 0o755 });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    console.log(await timeSkippingServer((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
