/** Runner `process`: it does what every runner must. */
import { conformance } from '../../support/conformance.ts';

conformance('process', async () => undefined);
