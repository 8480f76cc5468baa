/** The tutorial's third page as a reader types it. */
import { walkPage } from '../support/doc-walk.ts';

walkPage('docs/tutorial-losses.md');
