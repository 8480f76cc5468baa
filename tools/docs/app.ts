/** Builds the api for its document: no function that needs a server is called. */
import path from 'node:path';
import { createApp } from '../../src/api/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { connect } from '../../src/db/connect.ts';
import { LiveParams } from '../../src/job-params/live-params.ts';
import { createLog } from '../../src/log.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';

export type DocumentedApp = Awaited<ReturnType<typeof documentedApp>>;

export async function documentedApp() {
  const nowhere = '127.0.0.1:9';
  const dir = path.resolve(import.meta.dirname, '../../job_params');
  const config = readConfig({
    DATABASE_URL: `postgres://docs@${nowhere}/none`,
    TEMPORAL_ADDRESS: nowhere,
    SYNCRATOR_SECRET: 'a secret of at least thirty-two characters',
    JOB_PARAMS: dir,
  });
  const liveParams = await LiveParams.open(dir);
  const deps = {
    config,
    db: connect(config.databaseUrl, { max: 1, applicationName: 'docs', onError: () => undefined }),
    temporal: connectTemporal(config.temporal),
    params: liveParams.params,
    liveParams,
    log: createLog({ name: 'docs', level: 'silent' }),
    changes: { subscribe: () => () => undefined, close: () => Promise.resolve() },
  };
  return { ...deps, app: createApp(deps) };
}
