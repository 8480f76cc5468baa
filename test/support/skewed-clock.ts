/** The environment in which libfaketime gives a process another time than this machine's. */
import { existsSync } from 'node:fs';

/** Debian's path of it on each architecture; the variant for programs with threads. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (triple) => `/usr/lib/${triple}/faketime/libfaketimeMT.so.1`,
);

/**
 * A process with this environment sees a time that is off by these minutes; its timers run on the true, monotonic
 * clock.
 * @throws Error in one line that says what to install
 */
export function skewedClock(minutes: number): Record<string, string> {
  const library = LIBRARIES.find((file) => existsSync(file));
  if (library === undefined)
    throw new Error('libfaketime is missing: apt-get install --no-install-recommends faketime');
  return {
    LD_PRELOAD: library,
    FAKETIME: `${minutes < 0 ? '' : '+'}${minutes}m`,
    DONT_FAKE_MONOTONIC: '1',
  };
}
