/**
 * Leaves webpack out of the built app: Temporal's worker needs it only to bundle workflows, and these are bundled
 * already.
 */
import type { Plugin } from 'rolldown';

const STAND_IN = '\0no-bundler';
const WORDS = 'cannot bundle workflows here: set WORKFLOW_BUNDLE to the workflow-bundle.js of this build';

/** Replaces webpack and its file systems by a module that throws these words. */
export function withoutWebpack(): Plugin {
  return {
    name: 'without-webpack',
    resolveId: {
      filter: { id: /^(webpack|memfs|unionfs)$/ },
      handler: () => STAND_IN,
    },
    load: {
      filter: { id: /no-bundler$/ },
      handler: (id) => (id === STAND_IN ? { code: CODE, moduleType: 'js' } : null),
    },
  };
}

// `__esModule` keeps the loading module from copying the members one by one.
const CODE = `module.exports = new Proxy({ __esModule: true }, {
  get(of, name) {
    if (name in of) return of[name];
    throw new Error(${JSON.stringify(WORDS)});
  },
});`;
