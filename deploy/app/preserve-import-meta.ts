/**
 * Makes every module of a bundle see the path that it has in the checkout, below the built folder: files that it
 * finds by path (a native library, a program to start, the page) are then found at the same place.
 */
import path from 'node:path';
import type { Plugin, RenderedChunk } from 'rolldown';

const ROOT = '__builtRoot';
const TO_PATH = '__toPath';
/** Expressions for a module's own path: in an ES module, in a CommonJS one, and for resolving another module. */
const OWN_PLACE =
  /\bimport\.meta\.(?<meta>url|filename|dirname)\b|\b(?<cjs>__filename|__dirname)\b|\brequire\.resolve\(['"](?<other>\.[^'"]+)['"]\)/g;

/** @param root the checkout; built modules behave as if they were in it */
export function keepPlaces(root: string): Plugin {
  const moved = new Set<string>();
  return {
    name: 'keep-places',
    transform: {
      filter: { code: /import\.meta\.|__filename|__dirname|require\.resolve\(/, id: /^[^\0].*\.[cm]?[jt]s$/ },
      async handler(code, id) {
        const others = new Map<string, string>();
        for (const { groups } of code.matchAll(OWN_PLACE)) {
          const other = groups?.['other'];
          if (other === undefined) continue;
          const resolved = await this.resolve(other, id);
          if (resolved) others.set(other, placeOf(resolved.id, root));
        }
        const place = placeOf(id, root);
        const folder = path.posix.dirname(place);
        const placed = code.replace(OWN_PLACE, (found: string, ...rest: unknown[]) => {
          const { meta, cjs, other } = rest.at(-1) as Record<'meta' | 'cjs' | 'other', string | undefined>;
          if (meta === 'url') return `${urlOf(place)}.href`;
          if (meta === 'filename' || cjs === '__filename') return pathOf(place);
          if (meta === 'dirname' || cjs === '__dirname') return pathOf(folder);
          const there = others.get(other ?? '');
          return there === undefined ? found : pathOf(there);
        });
        if (placed === code) return null;
        moved.add(id);
        return placed;
      },
    },
    renderChunk(code, chunk) {
      if (!chunk.moduleIds.some((id) => moved.has(id))) return null;
      const [hashbang] = /^#!.*\n/.exec(code) ?? [''];
      return `${hashbang}${header(chunk)}${code.slice(hashbang.length)}`;
    },
  };
}

/** Path of a module from the root, as built: TypeScript has become JavaScript. */
export function placeOf(id: string, root: string): string {
  return path.relative(root, id).replaceAll(path.sep, '/').replace(/\.ts$/, '.js');
}

function urlOf(place: string): string {
  return `new URL(${JSON.stringify(encodeURI(place))}, ${ROOT})`;
}

function pathOf(place: string): string {
  return `${TO_PATH}(${urlOf(place)})`;
}

function header({ fileName }: RenderedChunk): string {
  const up = '../'.repeat(fileName.split('/').length - 1) || './';
  return `import { fileURLToPath as ${TO_PATH} } from 'node:url';\nconst ${ROOT} = new URL('${up}', import.meta.url);\n`;
}
