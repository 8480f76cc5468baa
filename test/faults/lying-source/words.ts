/** Searches the output of a run: it must contain no data of a record, and neither null nor undefined in messages. */

import type { Ended } from './program-run.ts';
import { CANARY } from './story.ts';

const NOTHING_IN_WORDS = /\b(?:null|undefined|NaN)\b|\[object /;

export function wrongWords({ output, reports }: Ended): string[] {
  const texts = [output, ...reports.flatMap(textsIn)];
  const wrong: string[] = [];
  if (texts.some((text) => text.includes(CANARY))) wrong.push('its output contains data of a record');
  const nothing = texts.find((text) => NOTHING_IN_WORDS.test(text));
  if (nothing !== undefined) wrong.push(`its output contains a meaningless word: ${shortened(nothing)}`);
  return wrong;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function shortened(text: string): string {
  const at = NOTHING_IN_WORDS.exec(text)?.index ?? 0;
  return JSON.stringify(text.slice(Math.max(0, at - 80), at + 40));
}
