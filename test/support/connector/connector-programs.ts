/** Finds the connectors of the tests in our cache, or installs them there from PyPI. */
import path from 'node:path';
import type { Progress } from '../../../src/embedded/temporal-binary.ts';
import { pythonPackages } from '../python/packages.ts';

/** Each in an environment of its own, since their dependencies differ. `airbyte-cdk` holds `source-declarative-manifest`. */
const INSTALLS = [
  {
    packages: ['airbyte-source-faker==7.2.1', 'airbyte-cdk==6.61.6'],
    size: '361 MB',
    programs: ['source-faker', 'source-declarative-manifest'],
  },
  { packages: ['meltanolabs-tap-postgres==0.10.0'], size: '138 MB', programs: ['tap-postgres'] },
] as const;

export type ConnectorProgramName = (typeof INSTALLS)[number]['programs'][number];

/** @returns the path of each program @throws Error that says what to install */
export async function connectorPrograms(onProgress: Progress): Promise<Record<ConnectorProgramName, string>> {
  const found: Partial<Record<ConnectorProgramName, string>> = {};
  for (const install of INSTALLS) {
    const folder = await pythonPackages(install, onProgress);
    for (const name of install.programs) found[name] = path.join(folder, 'bin', name);
  }
  return found as Record<ConnectorProgramName, string>;
}
