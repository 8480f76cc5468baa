/** `npm run cluster`: a real Kubernetes control plane with fake pods, from one command to one Ctrl-C. A composition root. */
import { Command } from 'commander';
import { type Cluster, startCluster } from './cluster.ts';
import { readyBlock } from './ready-block.ts';

const startedAt = Date.now();

function say(line: string): void {
  console.log(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}

const program = new Command('npm run cluster --')
  .description(
    'Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on 127.0.0.1. ' +
      'Builds them with Go the first time, which takes about 7 minutes. Linux only.',
  )
  .option('--dir <folder>', 'where its data, logs and kubeconfig lie', '.data/cluster')
  .option('--finish-after <duration>', 'when fake pods succeed by themselves: such as 5s, or never', '5s')
  .option('--audit', 'write every request to logs/audit.log in the folder')
  .addHelpText(
    'after',
    `
Examples:
  npm run cluster                              # then, in another terminal:
    export KUBECONFIG=$PWD/.data/cluster/kubeconfig
    RUNNER=kubernetes npm start
  npm run cluster -- --finish-after never      # pods run until an annotation ends them:
    kubectl annotate pod NAME kwok.syncrator/exit-code=3

The annotations are in tools/cluster/README.md.`,
  )
  .parse();
const { dir, finishAfter, audit } = program.opts<{ dir: string; finishAfter: string; audit?: true }>();

// A closed terminal must not keep us from stopping everything in order.
process.stdout.on('error', () => undefined);

/** npm passes on the Ctrl-C that the terminal has sent us already: what follows this closely is the same key press. */
const SAME_PRESS_MS = 500;
const starting = new AbortController();
let cluster: Cluster | undefined;
let endingSince: number | undefined;

async function end(signal: NodeJS.Signals): Promise<void> {
  if (endingSince !== undefined) {
    if (Date.now() - endingSince < SAME_PRESS_MS) return;
    say(`${signal} again: forced`);
    process.exit(130); // the kernel kills every part with us
  }
  endingSince = Date.now();
  say(`${signal}: stopping everything (again to force)`);
  starting.abort(new Error('stopped'));
  await cluster?.stop();
  if (cluster === undefined) return; // the start gives up, and exits
  say('stopped');
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    end(signal).catch((error: unknown) => {
      say(`cannot stop: ${error instanceof Error ? error.message : String(error)}`);
      process.exit(1);
    });
  });

try {
  cluster = await startCluster({
    dir,
    finishAfter,
    audit: audit === true,
    onProgress: say,
    signal: starting.signal,
  });
  console.log(readyBlock(cluster, (Date.now() - startedAt) / 1000, finishAfter));
} catch (error) {
  // While ending, a start that gives up is what was asked for.
  if (endingSince !== undefined) {
    say('stopped');
    process.exit(0);
  }
  say(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
