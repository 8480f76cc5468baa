/** A step that works until a file exists, `<action> <file> --api_job_id <n>`, and then completes. */
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const [, , , file = ''] = process.argv;
while (!existsSync(file)) await wait(200);
