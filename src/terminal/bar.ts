/** A bar of progress, drawn with block characters. */
import { styled } from './output.ts';

const WIDTH = 24;

/** @param percent above 100 is full */
export function bar(percent: number): string {
  const full = Math.round((Math.min(100, percent) / 100) * WIDTH);
  return styled('cyan', '█'.repeat(full)) + styled('dim', '░'.repeat(WIDTH - full));
}
