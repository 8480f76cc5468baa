/**
 * A small program that keeps the contract of design.md §5, for tests of what runs it: reports first and exits 5 when
 * refused, then `--seconds N` of work in which it appends to `--touch FILE`, then `--exit N`. `--stubborn` ignores
 * SIGTERM; `--mute` never reports; `--flood` prints as fast as it can.
 */
import { appendFileSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '0' },
    exit: { type: 'string', default: '0' },
    touch: { type: 'string' },
    mute: { type: 'boolean', default: false },
    stubborn: { type: 'boolean', default: false },
    flood: { type: 'boolean', default: false },
    api_job_id: { type: 'string' },
  },
});
const [action = ''] = positionals;
if (values.stubborn) process.on('SIGTERM', () => undefined);
else process.on('SIGTERM', () => process.exit(143));

let seq = 0;
async function report(phase: string, done: number): Promise<void> {
  const url = process.env['SYNCRATOR_REPORT_URL'];
  if (values.mute || url === undefined) return;
  for (;;) {
    try {
      const answer = await fetch(url, {
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${process.env['SYNCRATOR_REPORT_TOKEN'] ?? ''}`,
        },
        body: JSON.stringify({ seq: ++seq, phase, records_done: done, records_total: 10 }),
        signal: AbortSignal.timeout(5_000),
      });
      if ([401, 403, 404, 409, 410].includes(answer.status)) process.exit(5);
      if (answer.ok) return;
    } catch {
      // Unreachable is not refused: try again.
    }
    await wait(200);
  }
}

await report('starting', 0);
const end = Date.now() + Number(values.seconds) * 1000;
const line = 'x'.repeat(99);
do {
  while (values.flood && Date.now() < end) {
    writeSync(1, `${line}\n`.repeat(1_000));
    await wait(0);
  }
  if (values.touch !== undefined) appendFileSync(values.touch, `${action} ${values.api_job_id}\n`);
  console.log(`${action} at work for job ${values.api_job_id}`);
  if (Date.now() < end) await wait(Math.min(100, end - Date.now()));
} while (Date.now() < end);
await report('done', 10);
process.exit(Number(values.exit));
