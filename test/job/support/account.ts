/** Sets up an account run: a stand-in account API, a report receiver and an empty database. */
import { Client } from 'pg';
import type { Report } from '../../../src/domain/report.ts';
import { parseArguments } from '../../../src/job/arguments.ts';
import { runAction } from '../../../src/job/run-action.ts';
import { type AccountApi, FIXED_TOKEN, startAccountApi } from '../../support/account-api.ts';
import { createDatabase } from '../../support/database.ts';
import { startFakeReceiver } from './fake-receiver.ts';

export type Ended = { readonly code: number; readonly output: string; readonly last: Report | undefined };

export type AccountSetup = AsyncDisposable & {
  readonly api: AccountApi;
  readonly sinkUrl: string;
  /** All reports of all runs. */
  readonly reports: Report[];
  query<R>(sql: string, values?: unknown[]): Promise<R[]>;
  /** Runs the program in this process, by default with the fixed token. */
  run(options: string, environment?: Record<string, string>, terminate?: AbortSignal): Promise<Ended>;
  /** id → name of the stored rows. */
  warehouses(): Promise<Record<string, string>>;
  /** `<user>-<warehouse>`, in order. */
  links(): Promise<string[]>;
};

export const WITH_PASSWORD = {
  API_TOKEN: '',
  API_USER: 'alice',
  API_PASSWORD: 'pass-word-0815-secret',
  INTERVAL_RETRY_TOKEN_SECONDS: '0',
};

export async function setupAccount(): Promise<AccountSetup> {
  const database = await createDatabase({ migrated: false });
  const api = await startAccountApi();
  const receiver = await startFakeReceiver();
  const client = new Client({ connectionString: database.url, query_timeout: 30_000 });
  await client.connect();
  const query = async <R>(sql: string, values?: unknown[]): Promise<R[]> =>
    (await client.query(sql, values)).rows as R[];
  const environment = {
    SYNCRATOR_REPORT_URL: receiver.url,
    SYNCRATOR_ENV: 'dev',
    SYNCRATOR_TARGET: 'account',
    SOURCE: 'rest',
    ACCOUNT_API_URL: api.url,
    API_TOKEN: FIXED_TOKEN,
    SINK: 'postgres',
    SINK_URL: database.url,
  };
  return {
    api,
    sinkUrl: database.url,
    reports: receiver.reports,
    query,
    async run(options, more = {}, terminate = new AbortController().signal) {
      const parsed = parseArguments(options.split(' '));
      if (parsed.kind !== 'run') throw new Error(parsed.text);
      let output = '';
      const code = await runAction({
        arguments: parsed.arguments,
        optionsText: options,
        environment: { ...environment, ...more },
        terminate,
        reportBudgetMs: 2_000,
        writeLine: (line) => void (output += line),
      });
      return { code, output, last: receiver.reports.at(-1) };
    },
    async warehouses() {
      const rows = await query<{ id: string; name: string }>('SELECT id, name FROM warehouses');
      return Object.fromEntries(rows.map(({ id, name }) => [id, name]));
    },
    async links() {
      const rows = await query<{ link: string }>(
        `SELECT user_id || '-' || warehouse_id AS link FROM users_warehouses ORDER BY user_id, warehouse_id`,
      );
      return rows.map(({ link }) => link);
    },
    async [Symbol.asyncDispose]() {
      await client.end();
      await api[Symbol.asyncDispose]();
      await receiver.close();
      await database.drop();
    },
  };
}
