import {
  Composer,
  type Document as YamlDocument,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type ParsedNode,
  type YAMLMap,
  visit,
} from "yaml";
import type { LocatedProblem } from "./plan.ts";

/** Limits of every YAML text that a person hands in. */
const ALIASES_MAX = 50;
const DEPTH_MAX = 32;
const BYTES_MAX = 1_048_576;
/** The lexer's words: marks, scalars, spaces, line ends. Room for 500 items with 400 each, read in half a second. */
const WORDS_MAX = 200_000;

/** A place in a YAML text; line and column from 1, the column in UTF-16 units. */
export interface YamlPlace {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a YAML text. */
export interface YamlFault extends YamlPlace {
  readonly message: string;
}

/** A YAML text as a value, or what is wrong with it. */
export interface ParsedYaml {
  /** Undefined when there are faults. */
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** Place of the value at a path, or of the nearest parent that exists; a key's own place with `key`. */
  readonly locate: (path: readonly PropertyKey[], which: "key" | "value") => YamlPlace;
}

/** A parsed YAML text that can say where each of its keys stands. */
export interface LocatedYaml {
  readonly value: unknown;
  readonly problems: LocatedProblem[];
  /** Line and column of the key at a path, or of the nearest parent that exists. */
  locate(path: readonly PropertyKey[]): YamlPlace;
}

/** `parseYaml` for a whole file: every fault is located in `path` and carries `code`. */
export function parseLocatedYaml(path: string, text: string, code: string): LocatedYaml {
  const { value, faults, locate } = parseYaml(text);
  const problems = faults.map(({ line, column, message }) => ({
    path,
    line,
    column,
    severity: "error" as const,
    code,
    message,
  }));
  return { value, problems, locate: (where) => locate(where, "key") };
}

/**
 * Parses YAML 1.2 with unique keys, no custom tags, at most 50 aliases, and at most 32 levels of lists and maps within
 * another, in block and in flow form. Takes time linear in the length of the text, whatever stands in it.
 */
export function parseYaml(text: string): ParsedYaml {
  if (text.length > BYTES_MAX)
    return nowhere({ line: 1, column: 1, message: `expected at most ${BYTES_MAX} characters, found ${text.length}` });
  const lines = new LineCounter();
  const composed = compose(text, lines);
  if ("message" in composed) return nowhere(composed);
  const { document, extra } = composed;
  const faults = [...document.errors, ...document.warnings].map((fault): YamlFault => {
    const message = fault.message.split("\n")[0] ?? "not YAML";
    return { ...placeAt(lines, fault.pos[0]), message };
  });
  if (extra !== undefined)
    faults.push({ ...placeAt(lines, extra), message: "expected one YAML document, found several" });
  faults.push(...findForbiddenNodes(document).map(({ offset, message }) => ({ ...placeAt(lines, offset), message })));
  const value = faults.length > 0 ? undefined : expand(document);
  if (value === TOO_LARGE)
    return nowhere({ line: 1, column: 1, message: "expected aliases that stand for little, found too much" });
  const index = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
  return {
    value,
    faults,
    locate: (where, which) => placeAt(lines, findOffset(document.contents, where, which, index)),
  };
}

function nowhere(fault: YamlFault): ParsedYaml {
  return { value: undefined, faults: [fault], locate: () => ({ line: 1, column: 1 }) };
}

/**
 * Reads the document, or says which limit the text is beyond. Depth and size are looked at word by word, before
 * anything is built: the composer recurses, and a thousand brackets must not exhaust its stack.
 */
function compose(
  text: string,
  lines: LineCounter,
): { document: YamlDocument.Parsed; extra: number | undefined } | YamlFault {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens = [];
  let words = 0;
  for (const word of new Lexer().lex(text)) {
    tokens.push(...parser.next(word));
    words += 1;
    const { stack } = parser;
    const open = stack.length <= DEPTH_MAX ? 0 : stack.filter(({ type }) => COLLECTIONS.has(type)).length;
    if (open > DEPTH_MAX)
      return {
        ...placeAt(lines, stack.findLast(({ type }) => COLLECTIONS.has(type))?.offset ?? 0),
        message: `expected at most ${DEPTH_MAX} levels of nesting, found more`,
      };
    if (words > WORDS_MAX)
      return {
        ...placeAt(lines, parser.offset),
        message: `expected at most ${WORDS_MAX} marks, words and line ends, found more`,
      };
  }
  tokens.push(...parser.end());
  const composer = new Composer({ uniqueKeys: false, schema: "core", version: "1.2", prettyErrors: false });
  // A hostile text has a fault in each of its characters, and the stack of each would take most of the time.
  const traced = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const [document, other] = composer.compose(tokens, true, text.length);
    if (document === undefined) throw new Error("YAML without a document, although one was asked for");
    return { document, extra: other?.range[0] };
  } finally {
    Error.stackTraceLimit = traced;
  }
}

const COLLECTIONS: ReadonlySet<string> = new Set(["block-map", "block-seq", "flow-collection"]);

/** Keys that stand twice, custom tags, too many aliases, and aliases of anchors that no earlier text sets. */
function findForbiddenNodes(document: YamlDocument): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = keyText(key);
        // The library compares each key with all others.
        if (seen.has(name)) found.push({ offset: offsetOf(key), message: "Map keys must be unique" });
        seen.add(name);
      }
    },
    Node(_key, node) {
      const offset = offsetOf(node);
      if (isAlias(node)) {
        aliases += 1;
        if (!anchors.has(node.source)) found.push({ offset, message: `expected an anchor before *${node.source}` });
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
      const tag = node.tag;
      if (tag !== undefined && !tag.startsWith("tag:yaml.org,2002:")) {
        found.push({ offset, message: `expected no custom tag, found ${tag}` });
      }
    },
  });
  if (aliases > ALIASES_MAX) {
    found.push({ offset: 0, message: `expected at most ${ALIASES_MAX} aliases, found ${aliases}` });
  }
  return found;
}

const TOO_LARGE = Symbol("aliases of aliases that stand for more than anybody means");

/** The value of a document without faults. The parser counts what aliases of aliases stand for, and throws at the limit. */
function expand(document: YamlDocument): unknown {
  try {
    // It counts the anchor with its aliases.
    return document.toJS({ maxAliasCount: ALIASES_MAX + 1 });
  } catch (fault) {
    if (fault instanceof ReferenceError) return TOO_LARGE;
    throw fault;
  }
}

type MapIndex = Map<YAMLMap, ReadonlyMap<string, Pair>>;

function findOffset(
  root: ParsedNode | null,
  path: readonly PropertyKey[],
  which: "key" | "value",
  index: MapIndex,
): number {
  let node: unknown = root;
  let offset = offsetOf(root);
  for (const [depth, key] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node, key, index);
      if (pair === undefined) return which === "value" ? offsetOf(node, offset) : offset;
      offset = offsetOf(isLast && which === "value" ? (pair.value ?? pair.key) : pair.key, offset);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = offsetOf(node, offset);
    } else break;
  }
  return offset;
}

/** Looks a key up without a walk over the map for each: a hostile map has a hundred thousand. */
function findPair(map: YAMLMap, key: PropertyKey, index: MapIndex): Pair | undefined {
  const known = index.get(map) ?? new Map(map.items.map((pair) => [keyText(pair.key), pair]));
  index.set(map, known);
  return known.get(String(key));
}

function keyText(key: unknown): string {
  if (isScalar(key)) return String(key.value);
  return isNode(key) ? key.toString() : String(key);
}

function offsetOf(node: unknown, otherwise = 0): number {
  return isNode(node) ? ((node as Node).range?.[0] ?? otherwise) : otherwise;
}

function placeAt(lines: LineCounter, offset: number): YamlPlace {
  const start = lines.linePos(offset);
  return { line: Math.max(1, start.line), column: Math.max(1, start.col) };
}
