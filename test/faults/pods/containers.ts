/** Faults inside the pod: its program, its memory, its other containers. */
import { CONTAINER } from '../../../src/runner/kubernetes/apiserver/types.ts';
import type { Fault } from './fault.ts';
import type { Scene } from './scene.ts';

/** The exit codes of the sync program (src/domain/exit-code.ts), and those of shells and runtimes. */
const exit = (code: number, as: string): Fault => ({
  name: `exit-${code}`,
  options: `--seconds 2 --exit ${code}`,
  end: { as, within: 15 },
});

export const CONTAINER_FAULTS: readonly Fault[] = [
  exit(1, 'failed:exit_code'),
  exit(2, 'failed:usage'),
  exit(3, 'failed:delete_guard'),
  exit(4, 'failed:not_configured'),
  exit(5, 'failed:refused'),
  exit(6, 'failed:fenced'),
  exit(7, 'failed:nothing_to_roll_back'),
  exit(137, 'failed:killed'),
  exit(143, 'failed:disrupted'),
  {
    name: 'oom',
    pod: { behaviour: 'oom', 'finish-after': '2s' },
    end: { as: 'failed:oom', words: /exit code 137, OOMKilled/, within: 15 },
  },
  {
    name: 'oom-exit-0',
    pod: { behaviour: 'oom-exit-0', 'finish-after': '2s' },
    end: { as: 'failed:oom', words: /exit code 0, OOMKilled/, within: 15 },
  },
  {
    name: 'start-error',
    pod: { behaviour: 'start-error' },
    end: { as: 'failed:start_error', words: /COMMAND/, within: 15 },
  },
  {
    name: 'sidecar-failed',
    pod: { 'start-after': '1h' },
    meddle: async (scene) => {
      await scene.until(({ steps }) => steps.length === 1, 'launched');
      await endContainers(scene, { [CONTAINER]: 0, sidecar: 1 });
    },
    end: { as: 'failed:sidecar_failed', words: /Container 'sidecar': exit code 1/, within: 20 },
  },
  {
    name: 'sidecar-lingers',
    pod: { 'start-after': '1h' },
    meddle: async (scene) => {
      await scene.until(({ steps }) => steps.length === 1, 'launched');
      await endContainers(scene, { [CONTAINER]: 0, sidecar: 'runs on' });
    },
    shows: { reason: 'sidecar', words: /container 'sidecar' still runs/, within: 15 },
    end: { as: 'failed:sidecar_lingers', words: /native sidecar/, within: 80 },
  },
  {
    name: 'deadline',
    lines: 'TIMEOUT=8s\n',
    end: { as: 'failed:deadline', words: /TIMEOUT/, within: 20 },
  },
  {
    name: 'silent',
    options: '--seconds 42 --mute',
    shows: { reason: 'stalled', within: 40 },
    end: { as: 'completed', within: 55 },
  },
];

/** Written like the kubelet does; the fake one gives every container of a pod the same end. */
async function endContainers(
  scene: Scene,
  ends: Readonly<Record<string, number | 'runs on'>>,
): Promise<void> {
  const pod = await scene.pod();
  const startedAt = new Date().toISOString();
  const stateOf = (end: number | 'runs on') =>
    end === 'runs on'
      ? { running: { startedAt } }
      : {
          terminated: {
            exitCode: end,
            reason: end === 0 ? 'Completed' : 'Error',
            startedAt,
            finishedAt: startedAt,
          },
        };
  const containerStatuses = Object.entries(ends).map(([name, end]) => ({
    name,
    image: 'registry.example/any:1',
    imageID: '',
    ready: end === 'runs on',
    restartCount: 0,
    state: stateOf(end),
  }));
  const phase = Object.values(ends).includes('runs on') ? 'Running' : 'Failed';
  const status = JSON.stringify({ status: { phase, containerStatuses } });
  await scene.rig.ground.kubectl('patch', 'pod', pod, '--subresource=status', '--type=merge', '-p', status);
}
