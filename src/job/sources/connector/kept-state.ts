/**
 * The STATE of a connector as the sink keeps it between two deltas: with the fingerprint of the settings that it belongs to,
 * and not without end. No log and no error shows it. Pure.
 */
import { type Fields, parsedObject } from '../json-object.ts';
import { isAbout, type Stream } from './dialect.ts';
import { textIn, within } from './message.ts';

/** It lies in the state of the sink, which is written often. */
const MOST_BYTES = 256 * 1024;

/** @param of fingerprint of the settings @returns null: it is too long to be kept */
export function packState(of: string, state: unknown): string | null {
  const text = JSON.stringify({ of, state });
  return Buffer.byteLength(text) > MOST_BYTES ? null : text;
}

/** @returns the STATE as JSON; null if it belongs to other settings, or none is kept */
export function unpackState(of: string, text: string | null): string | null {
  const kept = text === null ? '' : parsedObject(text);
  return typeof kept === 'string' || kept['of'] !== of || kept['state'] === undefined
    ? null
    : JSON.stringify(kept['state']);
}

export type AirbyteStates = {
  /** @param message the field `state` of a message STATE */
  readonly take: (message: Fields) => void;
  /** The last ones in the form of the file for `--state`; null: none came. */
  readonly last: () => unknown;
};

/** Keeps the last STATE of a stream, of all streams together, or in the form of before 2022. */
export function createAirbyteStates(stream: Stream): AirbyteStates {
  let [own, all, old]: unknown[] = [null, null, null];
  return {
    take(message) {
      const type = textIn(message, 'type') ?? 'LEGACY';
      const { stream: ofStream, global, data } = message;
      if (type === 'GLOBAL' && isObject(global)) all = { type, global };
      if (type === 'LEGACY' && isObject(data)) old = data;
      if (type !== 'STREAM' || !isObject(ofStream)) return;
      const { name, namespace } = within(ofStream, 'stream_descriptor');
      if (isAbout(stream, name, namespace) && isObject(ofStream['stream_state']))
        own = { type, stream: ofStream };
    },
    last: () => (own !== null ? [own] : all !== null ? [all] : old),
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
