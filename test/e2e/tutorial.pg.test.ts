/** The tutorial as a reader types it. */
import { walkPage } from '../support/doc-walk.ts';

walkPage('docs/tutorial.md');
