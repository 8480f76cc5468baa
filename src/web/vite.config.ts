/** Builds the page into dist/web: `npm run build`. */
import path from 'node:path';
import { defineConfig } from 'vite';

const project = path.resolve(import.meta.dirname, '../..');

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: path.join(project, 'dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // These support light-dark(), so the CSS needs no rewriting for older browsers.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      // Libraries mark files with 'use client' for server rendering, which this page does not use.
      onLog: (level, log, tell) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log);
      },
    },
  },
  // `npm run dev:web` beside a running server.
  server: { proxy: { '^/(?!@|app|parts|overview|jobs/|node_modules|main).*': 'http://127.0.0.1:8080' } },
});
