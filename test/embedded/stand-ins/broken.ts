/** A worker that cannot start. */
console.error('job_params/dev/cities-sync.public_params:3: unknown key OPTION');
process.exit(1);
