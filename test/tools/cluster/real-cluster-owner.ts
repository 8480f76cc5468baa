/** Owns a cluster with real pods until it is killed: prints a line when it is ready. */
import { startRealCluster } from '../../../tools/cluster/real-cluster.ts';

const [dir = '', archive = ''] = process.argv.slice(2);
const cluster = await startRealCluster({ dir });
await cluster.loadImage(archive);
console.log('ready');
setInterval(() => undefined, 60_000);
