/** Makes a restored database fit to go on from. */
import { type Format, print } from '../cli/output.ts';
import { skipIds } from '../db/restored.ts';
import { upgradeSchema } from '../db/upgrade.ts';
import { withDatabase } from './database.ts';

/** Who did it, in the audit table. */
const PRINCIPAL = 'db command';

export async function afterRestore(format: Format): Promise<void> {
  const next = await withDatabase(async (db, url) => {
    await upgradeSchema(
      url,
      (what) => void process.stderr.write(`${what}: somebody works there; trying again\n`),
    );
    return await skipIds(db, PRINCIPAL);
  });
  print(format, { next_job_id: next }, () => `the next job is job ${next}; start api and worker now`);
}
