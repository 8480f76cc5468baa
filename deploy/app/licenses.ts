/** Collects the licences of bundled packages, as their terms require: one text with a section per package. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** @param modules files of the bundle; those outside of node_modules are ours */
export function licensesOf(modules: readonly string[], root: string): string {
  const folders = new Set(modules.flatMap((file) => packageFolder(file) ?? []));
  const sections = [...folders].map(sectionOf).toSorted();
  return `Packages bundled with Syncrator:\n${sections.join('')}`;

  function packageFolder(file: string): string | undefined {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
    return found?.startsWith(root) ? found : undefined;
  }
}

function sectionOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const words = texts.map((file) => readFileSync(path.join(folder, file), 'utf8').trim()).join('\n\n');
  return `\n${'='.repeat(80)}\n${String(name)} ${String(version)}: ${String(license)}\n\n${words}\n`;
}
