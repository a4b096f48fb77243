import { systemClock } from "../effects/clock.ts";
import { systemRandomness } from "../effects/ids.ts";

/** Time and randomness of this machine. */
export const machine = { clock: systemClock, randomness: systemRandomness };
