/** Formats the text that `npm start` prints once everything runs. */
import type { StackUp } from './stack.ts';

/** Returns the `ready` line, then the running parts, login, first commands and how to stop. */
export function readyBlock(up: StackUp): string {
  const { url, servers, adminPassword } = up;
  const password =
    adminPassword === undefined
      ? `PASSWORD='…'                          # of the user admin`
      : `PASSWORD='${adminPassword}'   # of the user admin; shown only this once`;
  const call = (rest: string) => `curl -s -H "Authorization: Bearer $TOKEN" ${rest}`;
  const lines = [
    `ready ${url}`,
    '',
    ...servers.embedded.map((part) => `  embedded default: ${part}`),
    ...(servers.temporalUiUrl === undefined ? [] : [`  Temporal Web UI:  ${servers.temporalUiUrl}`]),
    `  data folder:      ${up.dataDir}`,
    ...up.metrics.map((at) => `  metrics:          ${at}`),
    ...(up.runner === undefined ? [] : [`  steps run as:     ${up.runner}`]),
    '',
    '  Try it:',
    `    ${password}`,
    `    TOKEN=$(curl -s -d 'username=admin' --data-urlencode "password=$PASSWORD" ${url}/login | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `    ${call(`${url}/sync/cities/dev`)}           # dry run: what would be started`,
    `    ${call(`-X POST ${url}/sync/cities/dev`)}   # start it`,
    `    ${call(`${url}/jobs/1`)}                    # watch it (job_id of the answer)`,
    '',
    '  Ctrl-C stops everything.',
  ];
  return lines.join('\n');
}
