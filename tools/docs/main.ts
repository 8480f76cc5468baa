/** `npm run docs`: writes the generated pages of docs/reference. `--check` (`npm run docs:check`) only names stale ones. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documentedApp } from './app.ts';
import { cliPage } from './cli.ts';
import { httpPage } from './http.ts';
import { metricsPage } from './metrics.ts';
import { paramsFilesPage } from './params-files.ts';
import { settingsPage } from './settings.ts';
import { diagnosesPage, statusesPage } from './statuses.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../docs/reference');

/** Text by file name. */
export async function generatedPages(): Promise<Record<string, string>> {
  const app = await documentedApp();
  return {
    'settings.md': settingsPage(),
    'params-files.md': paramsFilesPage(),
    'cli.md': cliPage(),
    'statuses.md': statusesPage(),
    'diagnoses.md': diagnosesPage(),
    'metrics.md': metricsPage(app),
    'http.md': await httpPage(app),
  };
}

/** Names of the pages that differ from the code. */
export async function stalePages(): Promise<string[]> {
  const pages = Object.entries(await generatedPages());
  return pages.filter(([name, text]) => readPage(name) !== text).map(([name]) => name);
}

function readPage(name: string): string | undefined {
  const file = path.join(FOLDER, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await stalePages();
    if (stale.length > 0)
      console.error(`stale: docs/reference/${stale.join(', docs/reference/')}; run npm run docs`);
    process.exit(stale.length === 0 ? 0 : 1);
  }
  for (const [name, text] of Object.entries(await generatedPages()))
    writeFileSync(path.join(FOLDER, name), text);
  process.exit(0); // connections that were never used stay open
}
