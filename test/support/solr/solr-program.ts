/** Finds the SolrCloud of the tests, or builds it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { javaProgram, printProgram } from '../java-program.ts';

const POM = readFileSync(path.join(import.meta.dirname, 'pom.xml'), 'utf8');

/** The class path for `java`; its class `SolrForTests` is the server. */
export async function solrProgram(onProgress: (line: string) => void): Promise<string> {
  const version = /solr-test-framework<\/artifactId>\s*<version>([^<]+)</.exec(POM)?.[1] ?? '';
  const program = { name: 'Solr', folder: import.meta.dirname, source: 'SolrForTests.java', version };
  return await javaProgram(program, onProgress);
}

if (import.meta.main) await printProgram(solrProgram);
