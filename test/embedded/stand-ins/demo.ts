/** A demo source that is not one. */
import { runStandIn } from './part.ts';

runStandIn('demo', { url: 'http://127.0.0.1:1' });
