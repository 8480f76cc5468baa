/** An api that only answers `ok`. */
import { runStandIn } from './part.ts';

runStandIn('api', { adminPassword: 'generated' });
