/** Keeps a long-lived process from holding on to memory it no longer uses. */

/**
 * By default glibc has eight arenas a core, which fragment under many threads and large buffers, and keeps what was
 * freed (mallopt(3): M_ARENA_MAX, M_TRIM_THRESHOLD). What the environment says already is kept.
 */
export function mallocSettings(
  environment: NodeJS.ProcessEnv = process.env,
): Record<'MALLOC_ARENA_MAX' | 'MALLOC_TRIM_THRESHOLD_', string> {
  const { MALLOC_ARENA_MAX = '2', MALLOC_TRIM_THRESHOLD_ = '131072' } = environment;
  return { MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_ };
}
