import type { Figure } from "./figure.ts";
import { measureExpecting, sideBySide } from "./measure.ts";
import { CLI, type Ground, NODE } from "./world.ts";

/** The start of the command line beside a Node that does nothing. */
export async function benchStart(ground: Ground): Promise<Figure[]> {
  const cwd = ground.make("start");
  const { bare, product } = await sideBySide(
    { roundsMax: 20, budgetMs: 20_000 },
    () => measureExpecting(0, { command: [NODE, "--eval", "0"], cwd }),
    () => measureExpecting(0, { command: [NODE, CLI, "--version"], cwd }),
  );
  const aim = { aim: 71, aimBare: 20 };
  return [
    { name: "start", unit: "ms", bare: bare.wallMs, product: product.wallMs, ...aim },
    { name: "start, processor", unit: "CPU-ms", bare: bare.cpuMs, product: product.cpuMs, ...aim },
  ];
}
