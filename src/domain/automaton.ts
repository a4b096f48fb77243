/** Finds many patterns in one reading of bytes, by the method of Aho and Corasick. State 0 is the beginning. */
export interface Automaton {
  /** Length of the longest pattern; 0 when there is none. */
  readonly longest: number;
  next(state: number, byte: number): number;
  /** Bytes of the longest beginning of a pattern that this state stands for. */
  depth(state: number): number;
  /** Length of the longest pattern that ends here; 0 when none does. */
  matched(state: number): number;
  /** Bytes that no pattern has and that do not count where they stand: white space and NUL. */
  ignores(byte: number): boolean;
}

const IGNORED: ReadonlySet<number> = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20]);
const IGNORED_TABLE = Uint8Array.from({ length: 256 }, (_unused, byte) => Number(IGNORED.has(byte)));

/** Shorter patterns turn up by chance. */
const PATTERN_MIN = 8;

/** Builds the automaton of these patterns; what is too short without white space is none. */
export function buildAutomaton(patterns: readonly string[]): Automaton {
  const encoder = new TextEncoder();
  const words = patterns
    .map((pattern) => encoder.encode(pattern).filter((byte) => !IGNORED.has(byte)))
    .filter((word) => word.length >= PATTERN_MIN);
  const trie = buildTrie(words);
  const { children, depths, ends, fails } = trie;
  const firstRow = buildFirstRow(children);
  // Nearly every byte is read in one of the first states: there is a row for each of those, and no search.
  const secondRows = linkFailures(trie, firstRow);
  const next = (state: number, byte: number): number => {
    for (let at = state; ; at = fails[at] ?? 0) {
      if (at === 0) return firstRow[byte] ?? 0;
      const row = secondRows[at];
      if (row !== undefined) return row[byte] ?? 0;
      const child = children.get(at * 256 + byte);
      if (child !== 0) return child;
    }
  };
  return {
    longest: words.reduce((longest, word) => Math.max(longest, word.length), 0),
    next,
    depth: (state) => depths[state] ?? 0,
    matched: (state) => ends[state] ?? 0,
    ignores: (byte) => IGNORED_TABLE[byte] === 1,
  };
}

interface Trie {
  readonly children: NumberTable;
  /** By state: its depth, the longest pattern that ends in it, where to go on when a byte does not fit. */
  readonly depths: Int32Array;
  readonly ends: Int32Array;
  readonly fails: Int32Array;
  /** By state: the state before and the byte between. */
  readonly parents: Int32Array;
  readonly bytes: Uint8Array;
  readonly states: number;
}

function buildTrie(words: readonly Uint8Array[]): Trie {
  const size = 1 + words.reduce((sum, word) => sum + word.length, 0);
  const children = new NumberTable(size);
  const [depths, ends, parents] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  const bytes = new Uint8Array(size);
  let states = 1;
  for (const word of words) {
    let state = 0;
    for (let index = 0; index < word.length; index += 1) {
      const byte = word[index] ?? 0;
      let child = children.get(state * 256 + byte);
      if (child === 0) {
        child = states;
        states += 1;
        children.set(state * 256 + byte, child);
        depths[child] = index + 1;
        parents[child] = state;
        bytes[child] = byte;
      }
      state = child;
    }
    ends[state] = word.length;
  }
  return { children, depths, ends, fails: new Int32Array(size), parents, bytes, states };
}

function buildFirstRow(children: NumberTable): Int32Array {
  return Int32Array.from({ length: 256 }, (_unused, byte) => children.get(byte));
}

/**
 * Links each state with the longest other beginning that it ends with, shorter ones first, since that of a state is found
 * by that of the state before it. Gives the rows of the states that are one byte from the beginning.
 */
function linkFailures(trie: Trie, firstRow: Int32Array): (Int32Array | undefined)[] {
  const { children, depths, ends, fails, parents, bytes, states } = trie;
  const rows: (Int32Array | undefined)[] = [];
  const levels: number[][] = [];
  for (let state = 1; state < states; state += 1) (levels[depths[state] ?? 0] ??= []).push(state);
  for (const state of levels[1] ?? []) {
    rows[state] = Int32Array.from({ length: 256 }, (_unused, byte) => {
      const child = children.get(state * 256 + byte);
      return child === 0 ? (firstRow[byte] ?? 0) : child;
    });
  }
  for (const state of levels.slice(2).flat()) {
    const byte = bytes[state] ?? 0;
    let fail = 0;
    for (let at = parents[state] ?? 0; fail === 0 && at !== 0;) {
      at = fails[at] ?? 0;
      fail = children.get(at * 256 + byte);
    }
    fails[state] = fail;
    ends[state] = Math.max(ends[state] ?? 0, ends[fail] ?? 0);
  }
  return rows;
}

/** Numbers by numbers; 0 stands for none. A map of the language is several times slower at this, and there are many. */
class NumberTable {
  readonly #keys: Int32Array;
  readonly #values: Int32Array;
  readonly #mask: number;

  constructor(entries: number) {
    const size = 2 ** Math.ceil(Math.log2(entries * 2 + 1));
    this.#keys = new Int32Array(size);
    this.#values = new Int32Array(size);
    this.#mask = size - 1;
  }

  get(key: number): number {
    return this.#values[this.#find(key)] ?? 0;
  }

  set(key: number, value: number): void {
    const at = this.#find(key);
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #find(key: number): number {
    let at = (Math.imul(key, 0x9e3779b1) >>> 7) & this.#mask;
    while (this.#values[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & this.#mask;
    return at;
  }
}
