/** `::name` at the start of a line, as a runner of GitHub Actions takes it: behind white space too, and behind colours. */
const AT_LINE_START = /^((?:[\s\u0085]|\u001b\[[0-9;]*m)*):(?=:)/gm;

/** The older form, which a runner takes anywhere in a line. */
const ANYWHERE = /##\[/g;

/**
 * Writes text so that a runner of GitHub Actions takes none of it for a command, whatever names and words of plans and
 * programs stand in it. A JSON document says the same afterwards: what is changed is escaped within its strings.
 */
export function tameRunnerCommands(text: string): string {
  const isJson = text.startsWith("{") || text.startsWith("[");
  return text.replaceAll(ANYWHERE, isJson ? "#\\u0023[" : "#\\u{23}[").replaceAll(AT_LINE_START, "$1\\u{3A}");
}
