/** Sets up an item bank run: a stand-in GitLab and an empty database. */
import type { ItemsCheckpoint } from '../../../src/job/checkpoint.ts';
import { type FakeGitlab, GROUP, startGitlab, TOKEN } from '../../support/gitlab/gitlab.ts';
import { type Ended, type Setup, setup } from './setup.ts';

export const WEBHOOK = 'http://syncrator.test/hooks/gitlab';
export const HOOK_SECRET = 'a-hook-secret-of-the-tests';

export type BankSetup = AsyncDisposable &
  Pick<Setup, 'receiver' | 'query' | 'sinkUrl'> & {
    readonly gitlab: FakeGitlab;
    readonly environment: Record<string, string>;
    run(options: string, more?: Record<string, string>, terminate?: AbortSignal): Promise<Ended>;
    spawn(options: string, more?: Record<string, string>): ReturnType<Setup['spawn']>;
    /** Runs with the newest reported checkpoint, as the worker passes it. */
    resume(options: string): Promise<Ended>;
    checkpoint(): ItemsCheckpoint | null;
    /** id -> sha in the sink; null without a table. */
    stored(): Promise<Record<string, string> | null>;
    /** The applied shas of an item, in order. */
    log(id: number): Promise<string[]>;
    watermark(): Promise<Date | null>;
    /** The run's last report. */
    last(): Setup['receiver']['reports'][number] | undefined;
  };

export async function bankSetup(): Promise<BankSetup> {
  const base = await setup();
  const gitlab = await startGitlab();
  const environment = {
    SOURCE: 'gitlab',
    GITLAB_URL: gitlab.url,
    GITLAB_TOKEN: TOKEN,
    GITLAB_GROUP: GROUP,
    GITLAB_WEBHOOK_URL: WEBHOOK,
    GITLAB_HOOK_SECRET: HOOK_SECRET,
    GITLAB_TIMEOUT: '2',
    SINK_TABLE: 'items',
  };
  const checkpoint = (): ItemsCheckpoint | null =>
    (base.receiver.reports.findLast((report) => report.checkpoint)?.checkpoint as ItemsCheckpoint) ?? null;
  const run: BankSetup['run'] = (options, more = {}, terminate) =>
    base.run(options, { ...environment, ...more }, terminate);
  return {
    gitlab,
    environment,
    receiver: base.receiver,
    sinkUrl: base.sinkUrl,
    query: base.query,
    run,
    spawn: (options, more = {}) => base.spawn(options.split(' '), { ...environment, ...more }),
    resume: (options) => run(options, { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint()) }),
    checkpoint,
    async stored() {
      if ((await base.names('items')) === null) return null;
      const rows = await base.query<{ id: string; sha: string }>(
        `SELECT id, record->'commit'->>'sha' AS sha FROM items`,
      );
      return Object.fromEntries(rows.map(({ id, sha }) => [id, sha]));
    },
    async log(id) {
      const rows = await base.query<{ sha: string }>(
        'SELECT sha FROM syncrator.item_revisions WHERE item = $1 ORDER BY applied_at',
        [String(id)],
      );
      return rows.map(({ sha }) => sha);
    },
    async watermark() {
      const rows = await base.query<{ watermark: Date | null }>('SELECT watermark FROM syncrator.sinks');
      return rows[0]?.watermark ?? null;
    },
    last: () => base.receiver.reports.at(-1),
    async [Symbol.asyncDispose]() {
      await gitlab.close();
      await base[Symbol.asyncDispose]();
    },
  };
}
