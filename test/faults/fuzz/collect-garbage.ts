/** Loaded into the api before its own code: on SIGUSR2 it frees all unused memory, so that the remaining use shows. */
process.on('SIGUSR2', () => {
  // A lesser collection keeps empty pages for the next load.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`settled ${JSON.stringify({ heapUsed, external })}\n`);
});
