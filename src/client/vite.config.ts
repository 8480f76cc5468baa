/** Builds the client for programs outside of this repository, which cannot load TypeScript: `npm run build`. */
import path from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: path.resolve(import.meta.dirname, '../../dist/client'),
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    lib: { entry: 'client.ts', formats: ['es'], fileName: 'client' },
  },
});
