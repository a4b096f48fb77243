/** The lines of a Markdown text that stand in no fence, as CommonMark sees them: a fence ends with as many marks or more. */
export function linesOutsideFences(markdown: string): string[] {
  let open: string | undefined;
  const lines: string[] = [];
  for (const line of markdown.split("\n")) {
    const marks = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (open === undefined) {
      if (marks?.[1] !== undefined) open = marks[1];
      else lines.push(line);
    } else if (marks?.[1]?.startsWith(open) === true && marks[2]?.trim() === "") open = undefined;
  }
  if (open !== undefined) throw new Error("a fence is never closed");
  return lines;
}

/** Headings of a Markdown text that stand in no fence. */
export function headingsOutsideFences(markdown: string): string[] {
  return linesOutsideFences(markdown).filter((line) => line.startsWith("#"));
}
