/** Measures 100 jobs of 100 keys submitted at once, beside the same 100 programs started directly. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Figure } from './figure.ts';
import { STEP_PROGRAM } from '../test/support/params-files.ts';
import { ROOT, runAll, startRig } from './rig.ts';

export const group = 'runs';

const JOBS = 100;
const OPTIONS = '--mute --seconds 0.2';

/** Rounds alternate, so that other load on the machine meets both sides. */
export async function run(options: { once: boolean }): Promise<Figure[]> {
  const targets = Array.from({ length: JOBS }, (_, n) => `key-${n}`);
  await using rig = await startRig({
    params: targets.map((target) => ({ target, action: 'sync', options: OPTIONS })),
    durable: true,
  });
  await rig.startWorker();
  // Warms up connections, plans and code paths, as in a worker that has been up for a while.
  await rig.until(await rig.submit('key-0', 'sync'), 'completed');
  const ours: number[] = [];
  const raw: number[] = [];
  for (let round = 0; round < (options.once ? 1 : 3); round++) {
    raw.push(await startBare());
    ours.push(await runAll(rig, targets));
  }
  const bench = `runs: ${JOBS} jobs of ${JOBS} keys at once, to the last completed`;
  return [{ bench, unit: 's', ours, raw, bound: 'ours/raw <= 3' }];
}

async function startBare(): Promise<number> {
  const began = performance.now();
  const ends = Array.from({ length: JOBS }, async (_, n) => {
    const argv = [STEP_PROGRAM, 'sync', ...OPTIONS.split(' '), '--api_job_id', String(n + 1)];
    const [code] = (await once(spawn('node', argv, { cwd: ROOT, stdio: 'ignore' }), 'exit')) as [
      number | null,
    ];
    if (code !== 0) throw new Error(`a bare program ended with ${code}`);
  });
  await Promise.all(ends);
  return (performance.now() - began) / 1_000;
}
