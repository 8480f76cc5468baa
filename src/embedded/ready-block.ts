/** Words what `npm start` prints once everything is up. */
import type { StackUp } from './stack.ts';

/** The one line that says it runs, then what runs, how to log in, what to try and how to stop. */
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
