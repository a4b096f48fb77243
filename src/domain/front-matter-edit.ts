import { isMap, isNode, isScalar, type Pair, parseDocument } from "yaml";

/**
 * Sets values of front matter in place and keeps all else as it is, byte for byte: comments, quotes, order, line ends.
 * A key that is missing is added above the first one. `yaml` is a map that the parser has accepted, or nothing at all.
 */
export function setFrontMatterValues(yaml: string, values: Readonly<Record<string, string>>, lineEnd: string): string {
  // The library knows no lone CR as a line end; a character for a character, so that the offsets hold.
  const document = parseDocument(yaml.replaceAll(/\r(?!\n)/g, "\n"), { prettyErrors: false, logLevel: "silent" });
  const map = document.contents;
  const pairs: readonly Pair[] = isMap(map) ? map.items : [];
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const missing: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    const text = quoteValue(value);
    const node = pairs.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value;
    const [start, end] = (isNode(node) ? node.range : undefined) ?? [];
    if (start === undefined || end === undefined) missing.push(`${key}: ${text}`);
    // A block of lines ends with its last line end, which has to stay.
    else edits.push({ start, end, text: text + (/(?:\r\n|\r|\n)$/.exec(yaml.slice(start, end))?.[0] ?? "") });
  }
  if (missing.length > 0) edits.push(buildInsertion(yaml, pairs, isMap(map) && map.flow === true, missing, lineEnd));
  return edits
    .toSorted((left, right) => right.start - left.start)
    .reduce((text, { start, end, text: value }) => text.slice(0, start) + value + text.slice(end), yaml);
}

function buildInsertion(
  yaml: string,
  pairs: readonly Pair[],
  isFlow: boolean,
  entries: readonly string[],
  lineEnd: string,
): { start: number; end: number; text: string } {
  const key = pairs[0]?.key;
  const first = isNode(key) ? key.range?.[0] : undefined;
  if (first === undefined) {
    // No key at all: comments, or the two braces of an empty map.
    const brace = isFlow ? yaml.indexOf("{") : -1;
    if (brace !== -1) return { start: brace + 1, end: brace + 1, text: entries.join(", ") };
    const ends = yaml === "" || /[\r\n]$/.test(yaml);
    return {
      start: yaml.length,
      end: yaml.length,
      text: (ends ? "" : lineEnd) + entries.map((entry) => entry + lineEnd).join(""),
    };
  }
  if (isFlow) return { start: first, end: first, text: entries.map((entry) => `${entry}, `).join("") };
  const indent = /[^\r\n]*$/.exec(yaml.slice(0, first))?.[0] ?? "";
  return { start: first, end: first, text: entries.map((entry) => entry + lineEnd + indent).join("") };
}

/** Plain when YAML takes it for nothing else, in block and in flow form. */
function quoteValue(value: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
