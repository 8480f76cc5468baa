/**
 * `npm run cluster`: runs a real Kubernetes control plane with fake or real pods until Ctrl-C. Exists because the tests
 * kill and pause each part alone, on machines that reach no image registry (kind) and no release downloads (kwokctl).
 * Elsewhere `kind create cluster` or `kwokctl create cluster` is the normal way: Syncrator needs only a kubeconfig. A
 * composition root.
 */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { startCluster } from './cluster.ts';
import { readyBlock, realReadyBlock } from './ready-block.ts';
import { startRealCluster } from './real-cluster.ts';
import type { Forward } from './real-node/forward.ts';
import { letPodsReach } from './real-node/reach.ts';

const startedAt = Date.now();
/** Archive that `npm run image` writes. */
const IMAGE = '.data/image/syncrator.tar';

function say(line: string): void {
  console.log(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${line}`);
}

const program = new Command('npm run cluster --')
  .description(
    'Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on 127.0.0.1. ' +
      'Builds them with Go the first time, which takes about 7 minutes. Linux only.',
  )
  .option(
    '--dir <folder>',
    'for data, logs, kubeconfig (default: .data/cluster; real pods: .data/real-cluster)',
  )
  .option('--finish-after <duration>', 'when fake pods succeed by themselves: such as 5s, or never', '5s')
  .option('--audit', 'write every request to logs/audit.log in the folder')
  .option('--real-pods', 'pods are containers: kubelet, containerd and runc instead of kwok (Debian, root)')
  .option(
    '--image <archive...>',
    `of real pods, as docker save writes it (default: ${IMAGE} if there is one)`,
  )
  .option('--reach <port...>', 'servers on 127.0.0.1 that real pods may reach, such as 8080')
  .addHelpText(
    'after',
    `
Examples:
  npm run cluster                              # then, in another terminal:
    export KUBECONFIG=$PWD/.data/cluster/kubeconfig
    RUNNER=kubernetes npm start
  npm run cluster -- --finish-after never      # pods run until an annotation ends them:
    kubectl annotate pod NAME kwok.syncrator/exit-code=3
  npm run image -- --name syncrator:dev && npm run cluster -- --real-pods --reach 8080

The annotations, and more on real pods, are in tools/cluster/README.md.`,
  )
  .parse();
const options = program.opts<{
  dir?: string;
  finishAfter: string;
  audit?: true;
  realPods?: true;
  image?: string[];
  reach?: string[];
}>();

// Ignores a closed terminal, so that everything still stops in order.
process.stdout.on('error', () => undefined);

/** npm forwards the Ctrl-C that the terminal has already sent: a second signal this soon is the same key press. */
const SAME_PRESS_MS = 500;
const starting = new AbortController();
let cluster: { stop(): Promise<void> } | undefined;
const reaches: Forward[] = [];
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
  for (const reach of reaches) await reach.close();
  await cluster?.stop();
  if (cluster === undefined) return; // the start fails and exits
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

const seconds = () => (Date.now() - startedAt) / 1000;
const common = {
  dir: options.dir ?? (options.realPods ? '.data/real-cluster' : '.data/cluster'),
  audit: options.audit === true,
  onProgress: say,
  signal: starting.signal,
};

async function startFake(): Promise<void> {
  const { finishAfter } = options;
  const started = await startCluster({ ...common, finishAfter });
  cluster = started;
  console.log(readyBlock(started, seconds(), finishAfter));
}

async function startReal(): Promise<void> {
  const started = await startRealCluster(common);
  cluster = started;
  for (const archive of options.image ?? (existsSync(IMAGE) ? [IMAGE] : [])) {
    say(`giving the node the image in ${archive}`);
    await started.loadImage(archive);
  }
  const ports = (options.reach ?? []).map(Number);
  for (const port of ports) reaches.push(await letPodsReach(port));
  console.log(realReadyBlock(started, seconds(), ports));
}

try {
  await (options.realPods ? startReal() : startFake());
} catch (error) {
  // A start that fails after a stop signal is the expected end.
  if (endingSince !== undefined) {
    say('stopped');
    process.exit(0);
  }
  say(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
  await cluster?.stop();
  process.exit(1);
}
