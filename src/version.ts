/** The version of package.json: of the command line and of the OpenAPI document. The Helm chart names the same one. */
import { readFileSync } from 'node:fs';

/** Such as `0.2.0`. */
export const VERSION = read();

function read(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
