/** Loaded into the api before its own code: SIGUSR2 makes it give back what it does not need, so that what it holds shows. */
process.on('SIGUSR2', () => {
  // Any lesser collection keeps the pages it has emptied, for the load that may come again.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`settled ${JSON.stringify({ heapUsed, external })}\n`);
});
