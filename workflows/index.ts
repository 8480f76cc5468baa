/** The workflows as Temporal's bundler finds them; an export's name is its type name. */
export { notify } from './notify.ts';
export { runJob } from './run-job.ts';
export { scheduledJob } from './scheduled-job.ts';
