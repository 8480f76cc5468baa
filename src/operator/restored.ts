/** Makes a restored database fit to go on from. */
import { type Format, print } from '../cli/output.ts';
import { skipIds } from '../db/restored.ts';
import { NEWER_DATABASE } from '../db/upgrade.ts';
import { withDatabase } from './database.ts';
import { prepare } from './migrations.ts';

/** Who did it, in the audit table. */
const PRINCIPAL = 'db command';

export async function afterRestore(format: Format): Promise<void> {
  const next = await withDatabase(async (db, url) => {
    const { newer } = await prepare(db, url);
    if (newer.length > 0) process.stderr.write(`${NEWER_DATABASE}\n`);
    return await skipIds(db, PRINCIPAL);
  });
  print(format, { next_job_id: next }, () => `the next job is job ${next}; start api and worker now`);
}
