/** Order of the test files: those that wait longest start first, so that none is left over at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take over half a minute, longest first; Vitest orders all others. */
const LONG = [
  'test/job/sinks/solr/conformance.pg.test.ts',
  'test/job/sinks/solr/crash.pg.test.ts',
  'test/job/sinks/solr/plans.pg.test.ts',
  'test/job/sinks/opensearch/crash.pg.test.ts',
  'test/job/sinks/opensearch/plans.pg.test.ts',
  'test/job/sinks/opensearch/histories.pg.test.ts',
  'test/job/sinks/solr/histories.pg.test.ts',
  'test/e2e/sabotage/opensearch.pg.test.ts',
  'test/e2e/sabotage/solr.pg.test.ts',
  'test/job/sinks/solr/removed.pg.test.ts',
  'test/job/sinks/opensearch/removed.pg.test.ts',
  'test/e2e/sabotage/postgres.pg.test.ts',
  'test/job/sinks/postgres/properties.pg.test.ts',
  'test/job/plans/properties.pg.test.ts',
  'test/e2e/tutorial.pg.test.ts',
  'test/e2e/tutorial-losses.pg.test.ts',
  'test/e2e/demo.pg.test.ts',
  'test/job/compat/item-bank/crash.pg.test.ts',
  'test/job/compat/item-bank/source-errors.pg.test.ts',
  'test/temporal/schedule-catch-up.pg.test.ts',
  'test/workflows/crash-points.pg.test.ts',
  'test/web/page.page.test.ts',
  'test/e2e/readme.pg.test.ts',
  'test/runner/kubernetes/conformance.k8s.test.ts',
  'test/runner/kubernetes/apiserver/errors.k8s.test.ts',
  'test/runner/kubernetes/apiserver/restart.k8s.test.ts',
  'test/runner/kubernetes/apiserver/list-watch.k8s.test.ts',
  'test/job/sinks/opensearch/conformance.pg.test.ts',
  'test/operator/operator.pg.test.ts',
  'test/web/upgrade.page.test.ts',
  'test/migrating/item-bank.pg.test.ts',
  'test/embedded/dev.pg.test.ts',
  'test/job/compat/item-bank/delete.pg.test.ts',
  'test/runner/process/conformance.pg.test.ts',
  'test/workflows/long-haul.pg.test.ts',
  'test/job/compat/item-bank/project-listing.pg.test.ts',
  'test/cli/cli.pg.test.ts',
  'test/engine/clock-skew.pg.test.ts',
  'test/db/retention/after-restore.pg.test.ts',
  'test/engine/debounced-starts.pg.test.ts',
  'test/engine/temporal-lost.pg.test.ts',
  'test/workflows/run-status.pg.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((file) => moduleId.endsWith(`/${file}`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
