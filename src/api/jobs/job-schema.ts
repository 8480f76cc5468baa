/** The component `Job` of the OpenAPI document, with its example. */
import type { z } from '@hono/zod-openapi';
import { RUNNING_JOB } from './job-example.ts';
import { jobFields } from './job-fields.ts';

export const jobSchema = jobFields.openapi('Job', { example: RUNNING_JOB });
export type JobJson = z.infer<typeof jobSchema>;
