/** Reads the OpenAPI document from the app in this process: contacts no server, Postgres or Temporal. */
import path from 'node:path';
import { createApp } from '../../src/api/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { connect } from '../../src/db/connect.ts';
import { LiveParams } from '../../src/job-params/live-params.ts';
import { createLog } from '../../src/log.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';

const NOWHERE = '127.0.0.1:9';
const JOB_PARAMS = path.resolve(import.meta.dirname, '../../job_params');

/** @returns the JSON of `GET /openapi.json` */
export async function readDocument(): Promise<string> {
  const config = readConfig({
    DATABASE_URL: `postgres://nobody@${NOWHERE}/none`,
    TEMPORAL_ADDRESS: NOWHERE,
    SYNCRATOR_SECRET: 'a secret of at least thirty-two characters',
    JOB_PARAMS,
  });
  const liveParams = await LiveParams.open(JOB_PARAMS);
  const app = createApp({
    config,
    db: connect(config.databaseUrl, { max: 1, applicationName: 'document', onError: () => undefined }),
    temporal: connectTemporal(config.temporal),
    params: liveParams.params,
    liveParams,
    log: createLog({ name: 'document', level: 'silent' }),
    changes: { subscribe: () => () => undefined, close: () => Promise.resolve() },
  });
  return (await app.request('/openapi.json')).text();
}
