/** `db restored`: prepares a restored database for api and worker. */
import { type Format, print } from '../terminal/output.ts';
import { skipIds } from '../db/retention/after-restore.ts';
import { NEWER_DATABASE } from '../db/upgrade.ts';
import { withDatabase } from './database.ts';
import { prepare } from './migrations.ts';

/** The principal in the audit. */
const PRINCIPAL = 'db command';

export async function afterRestore(format: Format): Promise<void> {
  const next = await withDatabase(async (db, url) => {
    const { newer } = await prepare(db, url);
    if (newer.length > 0) process.stderr.write(`${NEWER_DATABASE}\n`);
    return await skipIds(db, PRINCIPAL);
  });
  print(format, { next_job_id: next }, () => `the next job id is ${next}; start api and worker now`);
}
