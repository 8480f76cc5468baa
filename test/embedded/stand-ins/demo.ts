/** A stand-in for the demo source. */
import { runStandIn } from './part.ts';

runStandIn('demo', { url: 'http://127.0.0.1:1' });
