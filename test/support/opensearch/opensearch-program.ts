/** Finds the OpenSearch of the tests, or builds it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { javaProgram, printProgram } from '../java-program.ts';

const POM = readFileSync(path.join(import.meta.dirname, 'pom.xml'), 'utf8');

/**
 * The class path for `java`; its class `OpenSearchForTests` is the server. OPENSEARCH_VERSION names another version than
 * that of pom.xml; 3.x needs a JAVA_HOME of Java 21 or newer.
 */
export async function openSearchProgram(onProgress: (line: string) => void): Promise<string> {
  const own = /<opensearch.version>([^<]+)</.exec(POM)?.[1] ?? '';
  const version = process.env['OPENSEARCH_VERSION'] ?? own;
  const program = { name: 'OpenSearch', folder: import.meta.dirname, source: 'OpenSearchForTests.java' };
  return await javaProgram({ ...program, version, maven: [`-Dopensearch.version=${version}`] }, onProgress);
}

if (import.meta.main) await printProgram(openSearchProgram);
