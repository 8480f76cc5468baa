/**
 * Walks through the frames of a zstd file (RFC 8878, 3.1). Node unpacks only the first of several frames, and DuckDB takes
 * a cut frame for a whole one: so this tells where each frame ends, and whether the last one did.
 */
import { CutFileError } from './cut-file.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

export type FrameEnd = { readonly at: number; readonly holdsData: boolean };

export type FrameWalker = {
  /** The positions in the chunk behind which a frame has ended. @throws CutFileError for other bytes */
  readonly walk: (chunk: Uint8Array) => readonly FrameEnd[];
  /** Whether the bytes so far are whole frames. */
  readonly isWhole: () => boolean;
  /** Whether the frame in hand holds data; null if its first bytes do not tell yet. */
  readonly holdsData: () => boolean | null;
};

/** Their parts of fixed size: little-endian numbers. */
const BYTES = { magic: 4, 'skippable size': 4, descriptor: 1, block: 3 };

type State = {
  phase: keyof typeof BYTES;
  /** Bytes to pass over. */
  skip: number;
  /** The frame ends behind them. */
  ends: boolean;
  holdsData: boolean;
  hasChecksum: boolean;
};

export function createFrameWalker(): FrameWalker {
  const state: State = { phase: 'magic', skip: 0, ends: false, holdsData: false, hasChecksum: false };
  let frames = 0;
  let value = 0;
  let have = 0;

  /** @returns how many bytes it takes */
  function step(chunk: Uint8Array, at: number): number {
    if (state.skip > 0) {
      const passed = Math.min(state.skip, chunk.length - at);
      state.skip -= passed;
      return passed;
    }
    value += (chunk[at] ?? 0) * 2 ** (8 * have);
    have += 1;
    if (have === BYTES[state.phase]) {
      takePart(state, value);
      value = have = 0;
    }
    return 1;
  }

  return {
    holdsData: () => (state.phase === 'magic' ? null : state.holdsData),
    isWhole: () => frames > 0 && state.phase === 'magic' && have === 0,
    walk(chunk) {
      const found: FrameEnd[] = [];
      for (let at = 0; at < chunk.length; ) {
        at += step(chunk, at);
        if (state.skip > 0 || !state.ends) continue;
        found.push({ at, holdsData: state.holdsData });
        frames += 1;
        Object.assign(state, { ends: false, phase: 'magic' });
      }
      return found;
    },
  };
}

function takePart(state: State, part: number): void {
  switch (state.phase) {
    case 'magic':
      state.holdsData = part === MAGIC;
      if (!state.holdsData && (part & 0xfffffff0) >>> 0 !== SKIPPABLE)
        throw new CutFileError('its zstd stream is corrupt: bytes between its frames');
      state.phase = state.holdsData ? 'descriptor' : 'skippable size';
      break;
    case 'skippable size':
      state.skip = part;
      state.ends = true;
      break;
    case 'descriptor': {
      const single = (part >> 5) & 1;
      const contentSize = CONTENT_SIZE_BYTES[part >> 6] ?? 0;
      state.hasChecksum = ((part >> 2) & 1) === 1;
      state.skip = 1 - single + (DICTIONARY_ID_BYTES[part & 3] ?? 0) + (contentSize || single);
      state.phase = 'block';
      break;
    }
    case 'block': {
      const type = (part >> 1) & 3;
      if (type === 3) throw new CutFileError('its zstd stream is corrupt: a block of an unknown type');
      // A block of type 1 repeats one byte.
      state.skip = type === 1 ? 1 : part >> 3;
      state.ends = (part & 1) === 1;
      if (state.ends && state.hasChecksum) state.skip += 4;
    }
  }
}
