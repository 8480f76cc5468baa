/** The tutorial's second page as a reader types it. */
import { walkPage } from '../support/doc-walk.ts';

walkPage('docs/tutorial-own-data.md');
