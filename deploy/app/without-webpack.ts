/** Leaves webpack out of the built app: Temporal's worker needs it only to bundle workflows, which are bundled already. */
import type { Plugin } from 'rolldown';

const STAND_IN = '\0no-bundler';
const WORDS =
  'workflows cannot be bundled here: set WORKFLOW_BUNDLE to the workflow-bundle.js that was built along';

/** Puts what says so in place of webpack and its file systems. */
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

// `__esModule`, or the loading module copies its members one by one.
const CODE = `module.exports = new Proxy({ __esModule: true }, {
  get(of, name) {
    if (name in of) return of[name];
    throw new Error(${JSON.stringify(WORDS)});
  },
});`;
