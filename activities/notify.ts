/** Delivers one notice to one receiver; the workflow retries it until the receiver accepts it. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { readLoss } from '../src/db/losses/losses.ts';
import { readJobView } from '../src/db/views/job-views.ts';
import type { Db } from '../src/db/schema.ts';
import type { Notice } from '../src/domain/notice.ts';
import { deliver, NotDelivered } from '../src/notifications/deliver.ts';
import { messageOf } from '../src/notifications/message.ts';
import type { Receiver } from '../src/notifications/receivers.ts';

export type NotifyDeps = {
  readonly db: Db;
  readonly installation: string;
  readonly receivers: readonly Receiver[];
  /** The address of the web page. */
  readonly publicUrl: string | undefined;
};

export function notifyActivities({ db, installation, receivers, publicUrl }: NotifyDeps) {
  return {
    /** Delivers at least once; receivers deduplicate by the header webhook-id. */
    async notify({ notice, receiver: name }: { notice: Notice; receiver: string }): Promise<void> {
      const receiver = receivers.find((one) => one.name === name);
      if (!receiver)
        throw ApplicationFailure.nonRetryable(`NOTIFICATIONS_FILE has no receiver ${name} any more`);
      const { jobId, lossId } = notice;
      const subject = {
        job: jobId === null ? null : ((await readJobView(db, jobId)) ?? null),
        loss: (lossId ?? null) === null ? null : ((await readLoss(db, Number(lossId))) ?? null),
      };
      try {
        // A worker that shuts down stops waiting for the receiver; another worker retries.
        const { cancellationSignal: signal } = Context.current();
        await deliver(
          receiver,
          `${installation}-${notice.id}`,
          messageOf(notice, subject, publicUrl),
          signal,
        );
      } catch (error) {
        if (!(error instanceof NotDelivered) || !error.final) throw error;
        throw ApplicationFailure.nonRetryable(error.message);
      }
    },
  };
}
