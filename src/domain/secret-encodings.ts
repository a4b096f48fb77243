/**
 * Every form in which a value is looked for: as it is, backwards, as base64 at each of the three places it can have in
 * a longer text (both alphabets), as hexadecimal digits, URL-encoded, and as a JSON string writes it. White space never
 * counts, so that a form that was wrapped into lines is found too (`buildAutomaton`).
 */
export function encodeSecret(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const base64 = [0, 1, 2].map((before) => base64At(bytes, before));
  const hex = toHex(bytes);
  const url = encodeURIComponent(value.toWellFormed());
  // Five characters stay there that other languages encode.
  const strict = url.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const json = JSON.stringify(value).slice(1, -1);
  return [
    value,
    // Where escapes are taken back (`openReader`), backslashes are gone, and what made them escapes too.
    value.replaceAll(/\\+[nrt]?/g, ""),
    [...value].reverse().join(""),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    hex,
    hex.toUpperCase(),
    ...[url, strict].flatMap((text) => [text, text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]),
    new URLSearchParams({ v: value }).toString().slice("v=".length),
    json,
    json.replaceAll("/", "\\/"),
    json.replaceAll(/[<>&]/g, escapeUnit),
    json.replaceAll(/[^\u0000-\u007f]/g, escapeUnit),
  ];
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Digits of base64 that stand for a value alone, when so many bytes stand before it in their group of three. */
function base64At(bytes: Uint8Array, before: number): string {
  const all = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes));
  // A digit is six bits: those that share theirs with what stands before or behind say something else each time.
  return all.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
