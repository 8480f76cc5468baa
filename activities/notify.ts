/** Tells one receiver of one thing; the workflow repeats it until it is taken. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { readJobView } from '../src/db/job-views.ts';
import type { Db } from '../src/db/schema.ts';
import type { Notice } from '../src/domain/notice.ts';
import { deliver, NotDelivered } from '../src/notifications/deliver.ts';
import { messageOf } from '../src/notifications/message.ts';
import type { Receiver } from '../src/notifications/receivers.ts';

export type NotifyDeps = {
  readonly db: Db;
  readonly installation: string;
  readonly receivers: readonly Receiver[];
  /** Of the web page. */
  readonly publicUrl: string | undefined;
};

export function notifyActivities({ db, installation, receivers, publicUrl }: NotifyDeps) {
  return {
    /** At least once: a receiver that must not count twice goes by the header webhook-id. */
    async notify({ notice, receiver: name }: { notice: Notice; receiver: string }): Promise<void> {
      const receiver = receivers.find((one) => one.name === name);
      if (!receiver)
        throw ApplicationFailure.nonRetryable(`NOTIFICATIONS_FILE has no receiver ${name} any more`);
      const job = notice.jobId === null ? null : ((await readJobView(db, notice.jobId)) ?? null);
      try {
        // A worker that ends does not wait for whom it asked: the next try is another one's.
        const { cancellationSignal: signal } = Context.current();
        await deliver(receiver, `${installation}-${notice.id}`, messageOf(notice, job, publicUrl), signal);
      } catch (error) {
        if (!(error instanceof NotDelivered) || !error.final) throw error;
        throw ApplicationFailure.nonRetryable(error.message);
      }
    },
  };
}
