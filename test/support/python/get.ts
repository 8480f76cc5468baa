/** `npm run get:connectors`: installs everything from PyPI that the tests run. */
import { connectorPrograms } from '../connector/connector-programs.ts';
import { oaiPython } from '../oai-pmh/python-repository.ts';

try {
  const say = (line: string): void => console.error(line);
  for (const program of [...Object.values(await connectorPrograms(say)), await oaiPython(say)])
    console.log(program);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
