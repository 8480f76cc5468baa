/** Owns a cluster until it is killed: prints the pids of its parts as one line of JSON. */
import { startCluster } from '../../../tools/cluster/cluster.ts';

const cluster = await startCluster({ dir: process.argv[2] ?? '' });
console.log(JSON.stringify(Object.values(cluster.parts).map((part) => part.pid)));
setInterval(() => undefined, 60_000);
