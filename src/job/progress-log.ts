/** Logs the record count every three seconds while it changes, and each new phase. */
import type { Progress } from './actions/action.ts';
import type { Log } from './log.ts';

const EVERY_MS = 3_000;

export function startProgressLog(log: Log): { update(news: Progress): void; stop(): void } {
  let known: Progress = {};
  let told: number | undefined;
  const timer = setInterval(() => {
    const { records_done: done, records_total: total } = known;
    if (done === undefined || done === told) return;
    log.info(`${done}${typeof total === 'number' ? ` of ${total}` : ''} records`);
    told = done;
  }, EVERY_MS);
  return {
    update(news) {
      if (news.phase && news.phase !== known.phase) log.info(`phase: ${news.phase}`);
      if (news.checkpoint) log.debug(`checkpoint: ${JSON.stringify(news.checkpoint)}`);
      known = { ...known, ...news };
    },
    stop: () => clearInterval(timer),
  };
}
