/**
 * `/` and its assets: serves the web page that `npm run build` made, under a strict Content-Security-Policy.
 * Not serveStatic({ precompressed }) and NONCE of hono/secure-headers: the page is built with uncompressed assets, its
 * policy holds the hash of an inline script, and index.html is filled in with the nonce and two settings.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { html } from 'hono/html';
import type { Log } from '../../log.ts';
import type { ApiDeps } from '../context.ts';
import { subApp } from '../http/route.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../dist/web');
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const NONCE_MARK = '%STYLE_NONCE%';
const READS_MARK = '%PUBLIC_READS%';
const LOGIN_MARK = '%LOCAL_LOGIN%';
const ASSETS_MARK = '%ASSETS%';
/** Asset names contain a hash of their content, so browsers may cache them for ever. */
const FOR_EVER = 'public, max-age=31536000, immutable';

type Encoding = 'br' | 'gzip';
type Asset = {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly encoded: Readonly<Record<Encoding, Uint8Array<ArrayBuffer>>>;
};
type Built = {
  readonly index: string;
  /** Hash of the inline script of index. */
  readonly scriptHash: string;
  readonly assets: ReadonlyMap<string, Asset>;
};

export function page({ config, log }: ApiDeps) {
  const app = subApp();
  let built: Promise<Built | undefined> | undefined;
  const load = () =>
    (built ??= loadBuilt(log).catch((error: unknown) => {
      built = undefined; // the next request tries again
      throw error;
    }));

  app.get('/', async (c) => {
    const nonce = randomBytes(16).toString('base64url');
    const found = await load();
    if (!found) {
      built = undefined; // it may be built while we run
      return c.html(notBuilt(), 503);
    }
    const index = found.index
      .replace(NONCE_MARK, nonce)
      .replace(READS_MARK, String(config.publicReads))
      .replace(LOGIN_MARK, String(config.localLogin));
    return c.html(index, 200, {
      'content-security-policy': policy(nonce, found.scriptHash),
      'cache-control': 'no-cache',
    });
  });

  app.get('/assets/:file', async (c, next) => {
    const asset = (await load())?.assets.get(c.req.param('file'));
    if (!asset) return await next();
    const accepted = c.req.header('accept-encoding') ?? '';
    const encoding = (['br', 'gzip'] as const).find((one) => new RegExp(`\\b${one}\\b`).test(accepted));
    return c.body(encoding ? asset.encoded[encoding] : asset.plain, 200, {
      'content-type': asset.type,
      'cache-control': FOR_EVER,
      vary: 'accept-encoding',
      ...(encoding ? { 'content-encoding': encoding } : {}),
    });
  });
  return app;
}

/** Reads and compresses the page once, at the first request; undefined if it is not built. */
async function loadBuilt(log: Log): Promise<Built | undefined> {
  try {
    const names = await readdir(path.join(FOLDER, 'assets'));
    const built = await readFile(path.join(FOLDER, 'index.html'), 'utf8');
    const index = built.replace(ASSETS_MARK, names.join(' '));
    const script = /<script>([^]*?)<\/script>/.exec(index)?.[1] ?? '';
    const scriptHash = createHash('sha256').update(script).digest('base64');
    const assets = await Promise.all(names.map(async (name) => [name, await loadAsset(name)] as const));
    return { index, scriptHash, assets: new Map(assets) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    log.warn('the web page is not built; run npm run build');
    return undefined;
  }
}

async function loadAsset(name: string): Promise<Asset> {
  const plain = new Uint8Array(await readFile(path.join(FOLDER, 'assets', name)));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(plain, { params }),
    promisify(gzip)(plain, { level: 9 }),
  ]);
  return {
    type: TYPES[path.extname(name)] ?? 'application/octet-stream',
    plain,
    encoded: { br: new Uint8Array(br), gzip: new Uint8Array(gz) },
  };
}

/** Allows our own files, the inline script by its hash, and the styles of components by the nonce of this load. */
function policy(nonce: string, scriptHash: string): string {
  return (
    `default-src 'none'; script-src 'self' 'sha256-${scriptHash}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; ` +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  );
}

function notBuilt() {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Syncrator</title></head>
<body>
<h1>Syncrator</h1>
<p>The web page has not been built: run <code>npm run build</code>. The API works without it: <a href="/docs">/docs</a>.</p>
</body>
</html>`;
}
