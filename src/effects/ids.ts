import { randomBytes } from "node:crypto";
import type { Randomness } from "../ports.ts";

/** The machine's randomness. */
export const systemRandomness: Randomness = { hex: (bytes) => randomBytes(bytes).toString("hex") };
