/** One line of the table: what was measured, beside the work nobody can leave out, and beside its aim. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "CPU-ms" | "KiB" | "MiB" | "processes" | "%";
  /** The bare work, measured in the same run; nothing where there is none to compare with. */
  readonly bare: number | undefined;
  readonly product: number;
  /** What the product may take on the machine that the aims were set on. */
  readonly aim: number | undefined;
  /** What the bare work took there: on another machine, or a busy one, the aim grows as the bare work does. */
  readonly aimBare: number | undefined;
}

/** The aim for this machine at this moment: as far from the bare work as it was where it was set. */
export function scaledAim({ bare, aim, aimBare }: Figure): number | undefined {
  if (aim === undefined || bare === undefined || aimBare === undefined) return aim;
  return (aim * bare) / aimBare;
}

/** Renders the figures as a Markdown table. */
export function renderFigures(figures: readonly Figure[]): string {
  const head = ["figure", "bare", "conveyor", "ratio", "aim", "aim here", "met"];
  const rows = figures.map((figure) => {
    const here = scaledAim(figure);
    return [
      figure.name,
      show(figure.bare, figure.unit),
      show(figure.product, figure.unit),
      figure.bare === undefined || figure.bare === 0 ? "" : (figure.product / figure.bare).toFixed(2),
      show(figure.aim, figure.unit),
      show(here, figure.unit),
      here === undefined ? "" : figure.product <= here ? "yes" : "no",
    ];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [head, rule, ...rows].map(line).join("\n");
}

function show(value: number | undefined, unit: Figure["unit"]): string {
  if (value === undefined) return "";
  return `${value >= 100 || unit === "processes" ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
