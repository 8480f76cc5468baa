/**
 * The tests' step program, for a process (step.ts) and for a fake pod (support/pod-actor.ts). It keeps the contract
 * of docs/reference/programs.md: reports first and ends with 5 when refused, then `--seconds N` of work in which it
 * appends to `--touch FILE` and prints, then `--exit N`.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const OPTIONS = {
  seconds: { type: 'string', default: '0' },
  /** Ends its work early, once this file exists. */
  until: { type: 'string' },
  exit: { type: 'string', default: '0' },
  touch: { type: 'string' },
  /** Never reports. */
  mute: { type: 'boolean', default: false },
  /** Ignores SIGTERM. */
  stubborn: { type: 'boolean', default: false },
  /** Prints as fast as it can. */
  flood: { type: 'boolean', default: false },
  /** How many numbered lines of 100 bytes it prints at the end of its work, or after SIGTERM. */
  lines: { type: 'string', default: '0' },
  /** `ordered`, `doubled` (each twice) or `shuffled` (any order, the last one last). */
  reports: { type: 'string', default: 'ordered' },
  /** Number of reports between the first and the last. */
  progress: { type: 'string', default: '0' },
  /** Wanted parts of the target; it ignores them. */
  item: { type: 'string', multiple: true },
  /** Which record, which action and which plan our own program would work on; it ignores them. */
  id: { type: 'string', multiple: true },
  of: { type: 'string' },
  plan: { type: 'string' },
  digest: { type: 'string' },
  api_job_id: { type: 'string' },
} as const;

export type Play = {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGTERM. */
  readonly told: AbortSignal;
  print(line: string): void;
};

/** The counts of its last report, which the job must show then. */
export const LAST_COUNTS = { records_done: 10, records_total: 10, added: 6, updated: 3, deleted: 1 } as const;

function parsePlay(args: readonly string[]) {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  return { ...values, action: positionals[0] ?? '' };
}

/** @returns the exit code */
export async function play({ args, environment, told, print }: Play): Promise<number> {
  const options = parsePlay(args);
  const stopped = () => told.aborted && !options.stubborn;
  let refused = false;

  const send = async (seq: number, phase: string, more: object) => {
    const url = environment['SYNCRATOR_REPORT_URL'];
    if (options.mute || url === undefined) return;
    while (!stopped() && !refused) {
      try {
        const answer = await fetch(url, {
          method: 'PUT',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${environment['SYNCRATOR_REPORT_TOKEN'] ?? ''}`,
          },
          body: JSON.stringify({ seq, phase, ...more }),
          signal: AbortSignal.timeout(5_000),
        });
        await answer.body?.cancel();
        if ([401, 403, 404, 409, 410].includes(answer.status)) refused = true;
        // 429: the api drops surplus reports on purpose and keeps the newest.
        if (answer.ok || answer.status === 429) return;
      } catch {
        // Unreachable does not mean refused: try again.
      }
      await wait(200);
    }
  };

  await send(1, 'starting', { records_done: 0, records_total: 10 });
  const progress = Number(options.progress);
  for (const seq of order(progress, options.reports))
    await send(seq, 'loading', { records_done: seq - 1, records_total: progress + 1 });

  const end = Date.now() + Number(options.seconds) * 1000;
  do {
    if (stopped() || refused || (options.until !== undefined && existsSync(options.until))) break;
    if (options.touch !== undefined)
      appendFileSync(options.touch, `${options.action} ${options.api_job_id}\n`);
    print(`${options.action} at work for job ${options.api_job_id}`);
    while (options.flood && Date.now() < end && !stopped()) {
      print(`${'x'.repeat(99)}\n`.repeat(999) + 'x'.repeat(99));
      await wait(0);
    }
    if (Date.now() < end) await pause(Math.min(100, end - Date.now()), options.stubborn ? undefined : told);
  } while (Date.now() < end);
  if (Number(options.lines) > 0) print(numberedLines(Number(options.lines)));
  if (stopped()) return 143;
  await send(progress + 2, 'done', LAST_COUNTS);
  return refused ? 5 : Number(options.exit);
}

/** `line 1 xxx…`, each 100 bytes with its newline; the last one has none. */
export function numberedLines(count: number): string {
  return Array.from({ length: count }, (_, n) => `line ${n + 1} `.padEnd(99, 'x')).join('\n');
}

/** Sequence numbers of the reports between the first and the last. */
function order(count: number, reports: string): number[] {
  const seqs = Array.from({ length: count }, (_, index) => index + 2);
  if (reports === 'doubled') return seqs.flatMap((seq) => [seq, seq]);
  if (reports === 'shuffled') return seqs.toSorted((a, b) => ((a * 7) % 11) - ((b * 7) % 11));
  return seqs;
}

async function pause(ms: number, told: AbortSignal | undefined): Promise<void> {
  await wait(ms, undefined, told ? { signal: told } : {}).catch((error: unknown) => {
    if (!told?.aborted) throw error;
  });
}
