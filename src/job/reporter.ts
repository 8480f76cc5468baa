/** Sends the sequence of reports of one attempt: the first, updates, the last. */
import type { Report } from '../domain/report.ts';
import { JobError } from './job-error.ts';
import type { Log } from './log.ts';
import { maskCredentials } from '../domain/mask.ts';
import { sendReport } from './report-request.ts';
import type { ReportSettings } from './settings.ts';
import { waitFor } from './wait.ts';

export type Reporter = {
  /**
   * Sends the first report. Retries an unreachable receiver for the whole budget, then gives up silently.
   * @throws JobError `refused`
   */
  first(): Promise<void>;
  /** Merges `news` into the next report. Cheap: call it on every change. */
  update(news: Partial<Omit<Report, 'seq'>>): void;
  /** Resolves once all news so far were sent and answered, with any status; at once without a receiver. */
  received(): Promise<void>;
  /** Sends the last report; never throws. @param budgetMs how long to retry an unreachable receiver */
  last(news: Partial<Omit<Report, 'seq'>>, budgetMs?: number): Promise<void>;
};

export type ReporterOptions = {
  readonly settings: ReportSettings | null;
  /** Fields of every report. */
  readonly identity: Pick<Report, 'options' | 'version'>;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Called when a report between the first and the last is refused. */
  readonly onRefused: (why: string) => void;
  readonly budgetMs?: number;
};

export const BUDGET_MS = 180_000;
const REQUEST_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 15_000;
const LEAST_GAP_MS = 1_000;
const MOST_SILENCE_MS = 4_000;

export function createReporter(options: ReporterOptions): Reporter {
  const { settings, identity, log, stop, onRefused, budgetMs = BUDGET_MS } = options;
  let current: Omit<Report, 'seq'> = { phase: 'starting', failed: 0, ...identity };
  let seq = 0;
  let news = false;
  let lastSent = 0;
  let inFlight: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let awaited = Promise.withResolvers<void>();

  const next = (): Report => {
    seq += 1;
    news = false;
    lastSent = Date.now();
    return { seq, ...current };
  };

  async function sendBetween(to: ReportSettings): Promise<void> {
    const answered = awaited;
    awaited = Promise.withResolvers();
    const reception = await sendReport(to, next(), MOST_SILENCE_MS);
    answered.resolve();
    if (reception.kind === 'refused') onRefused(reception.why);
    else if (reception.kind === 'unreachable') lastSent = Date.now() + (reception.retryAfterMs ?? 0);
    if (reception.kind !== 'accepted') log.debug(`report ${seq}: ${reception.kind}: ${reception.why}`);
  }

  function tick(to: ReportSettings): void {
    const gap = Date.now() - lastSent;
    if (inFlight || gap < LEAST_GAP_MS || (!news && gap < MOST_SILENCE_MS)) return;
    inFlight = sendBetween(to).finally(() => (inFlight = null));
  }

  return {
    async first() {
      if (!settings) return;
      const refused = await sendUntilAccepted(settings, next(), { budgetMs, stop, log });
      if (refused) {
        throw new JobError(
          'refused',
          `the receiver refused the first report (${refused}); nothing was touched`,
        );
      }
      timer = setInterval(() => tick(settings), 100);
    },
    update(fresh) {
      current = { ...current, ...masked(fresh) };
      news = true;
    },
    async received() {
      if (!settings) return;
      await awaited.promise;
    },
    async last(fresh, budget = budgetMs) {
      clearInterval(timer);
      await inFlight;
      if (!settings) return;
      current = { ...current, ...masked(fresh) };
      const refused = await sendUntilAccepted(settings, next(), { budgetMs: budget, stop: NEVER, log });
      if (refused) log.info(`the receiver refused the last report: ${refused}`);
    },
  };
}

/** The last report is sent although the run was stopped. */
const NEVER = new AbortController().signal;

/** Retries one report until it is accepted or refused or the budget is spent. @returns the reason of a refusal */
async function sendUntilAccepted(
  to: ReportSettings,
  report: Report,
  { budgetMs, stop, log }: { budgetMs: number; stop: AbortSignal; log: Log },
): Promise<string | null> {
  const deadline = Date.now() + budgetMs;
  for (let pause = 500; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const timeoutMs = Math.max(1, Math.min(REQUEST_TIMEOUT_MS, deadline - Date.now()));
    const reception = await sendReport(to, report, timeoutMs);
    if (reception.kind === 'accepted') return null;
    if (reception.kind === 'refused') return reception.why;
    log.info(`report ${report.seq}: ${reception.kind}: ${reception.why}`);
    const wait = reception.kind === 'unreachable' ? (reception.retryAfterMs ?? pause) : Infinity;
    if (Date.now() + wait >= deadline) return null;
    await waitFor(wait, stop);
  }
}

function masked(news: Partial<Omit<Report, 'seq'>>): Partial<Omit<Report, 'seq'>> {
  return news.message === undefined
    ? news
    : { ...news, message: maskCredentials(news.message).slice(0, 4096) };
}
