/** Determines the application whose aliases a run uses; settings and arguments must agree. Pure. */
import type { JobArguments } from '../../arguments.ts';
import { JobError } from '../../job-error.ts';
import type { SolrSettings } from '../sink-settings.ts';

/** @throws JobError `usage` if settings and arguments disagree, or if a sync lacks `--switch_solr_alias` */
export function applicationOf(
  { app, env }: SolrSettings,
  given: Pick<JobArguments, 'action' | 'of' | 'switchSolrAlias' | 'targetEnv' | 'target'>,
): string {
  if (given.targetEnv !== null && env !== null && given.targetEnv !== env)
    throw disagreement(`--target_env ${given.targetEnv}`, `SYNCRATOR_ENV=${env}`);
  if (given.target !== null && app !== null && given.target !== app.name)
    throw disagreement(`--target ${given.target}`, `${app.key}=${app.name}`);
  const name = app?.name ?? given.target;
  if (name === null) {
    throw new JobError(
      'usage',
      'the application of the aliases is not set: set SOLR_APP, or add --target <app> to OPTIONS',
    );
  }
  // A plan of a sync empties the standby, too.
  if ((given.of ?? given.action) === 'sync' && !given.switchSolrAlias) {
    throw new JobError(
      'usage',
      `a sync into Solr empties ${name}-standby and switches the aliases: ` +
        `add --switch_solr_alias --target_env ${env ?? '<env>'} --target ${name} to OPTIONS`,
    );
  }
  return name;
}

function disagreement(argument: string, setting: string): JobError {
  return new JobError('usage', `${argument} and ${setting} disagree; nothing was touched`);
}
