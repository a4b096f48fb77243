import type { NetworkUse } from "../../domain/network-hosts.ts";

/** How a program is started, and what is known of it when it has ended. */
export interface Launch extends AsyncDisposable {
  /** Absolute path of what is started, and its arguments. */
  readonly file: string;
  readonly args: readonly string[];
  /** Variables besides those of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** True when the started process only holds the program, which TERM is meant for. */
  readonly isHolder: boolean;
  /** What it said when it could not start the program after all, or nothing. */
  readFailure(exitCode: number, stderr: string): string | undefined;
  /** What the program asked for on the network. */
  network(): readonly NetworkUse[];
}
