/** glibc settings that return unused memory of long-lived processes. */

/**
 * By default glibc uses eight arenas per core, which fragment with many threads and large buffers, and keeps freed memory
 * (mallopt(3): M_ARENA_MAX, M_TRIM_THRESHOLD). Values of the environment take precedence.
 */
export function mallocSettings(
  environment: NodeJS.ProcessEnv = process.env,
): Record<'MALLOC_ARENA_MAX' | 'MALLOC_TRIM_THRESHOLD_', string> {
  const { MALLOC_ARENA_MAX = '2', MALLOC_TRIM_THRESHOLD_ = '131072' } = environment;
  return { MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_ };
}
