/** Declares `connector discover`. */
import type { Command } from 'commander';
import { formatOf } from '../terminal/global-options.ts';

export function connectorCommands(program: Command): void {
  program
    .command('connector')
    .description('ask the connector of a target for its streams')
    .addHelpText('after', '\nExample:\n  syncrator connector discover shop dev')
    .command('discover <target> <env>')
    .description('run spec, check and discover of its connector, and print params and settings for a stream')
    .option('--settings <file>', 'its settings (default: envtarget/<env>-<target>.env in SYNCRATOR_DATA)')
    .option('--stream <name>', 'print the params file and settings of a target with this stream')
    .option('--write', 'with --stream: write the params file into JOB_PARAMS, if it does not exist', false)
    .addHelpText(
      'after',
      `
The settings need SOURCE=connector, CONNECTOR and CONNECTOR_CONFIG. The connector runs on this
machine and reads no record. On Kubernetes, run syncrator-job connector in a pod of its image:
docs/how-to/connector.md.

Example:
  syncrator connector discover shop dev --stream orders`,
    )
    .action(async (target: string, env: string, options: DiscoverOptions, command: Command) => {
      const { discoverConnector } = await import('./connector-discover.ts');
      await discoverConnector(formatOf(command), { target, env, ...options });
    });
}

type DiscoverOptions = { settings?: string; stream?: string; write: boolean };
