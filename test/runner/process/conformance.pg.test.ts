/** Runner `process` fulfils the contract of runners. */
import { conformance } from '../../support/conformance.ts';

conformance('process', async () => undefined);
