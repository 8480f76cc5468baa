/** The environment in which a process reads another time than this machine's, by libfaketime. */
import { existsSync } from 'node:fs';

/** Where Debian has it on each of its architectures; the variant for programs with threads. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (triple) => `/usr/lib/${triple}/faketime/libfaketimeMT.so.1`,
);

/**
 * What a process started with it takes for now is off by these minutes; its timers run on the true, monotonic clock.
 * @throws Error in one line that says what to install
 */
export function skewedClock(minutes: number): Record<string, string> {
  const library = LIBRARIES.find((file) => existsSync(file));
  if (library === undefined)
    throw new Error('no libfaketime: apt-get install --no-install-recommends faketime');
  return {
    LD_PRELOAD: library,
    FAKETIME: `${minutes < 0 ? '' : '+'}${minutes}m`,
    DONT_FAKE_MONOTONIC: '1',
  };
}
