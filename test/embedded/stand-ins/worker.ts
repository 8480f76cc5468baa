/** A worker without work; it shows one warning. */
import { runStandIn } from './part.ts';

console.log(JSON.stringify({ level: 30, msg: 'only for the log file' }));
console.log(JSON.stringify({ level: 40, msg: 'worth showing' }));
runStandIn('worker');
