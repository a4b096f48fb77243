// Preload for the orchestrator: time stands still and randomness counts up, so that two runs differ in nothing but what
// the product itself does differently.
//   FREEZE_STEP_MS  how far the wall clock is set forth and back, at every seventh reading; 0 when it is not set
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { performance } from "node:perf_hooks";

const START = Date.parse("2026-03-25T12:00:00.000Z");
const step = Number(process.env.FREEZE_STEP_MS ?? "0");
const RealDate = Date;
let readings = 0;
const now = () => {
  readings += 1;
  return START + (Math.floor(readings / 7) % 2 === 0 ? step : -step);
};
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
if (step === 0) {
  performance.now = () => 0;
  let drawn = 0;
  crypto.randomBytes = (size) => {
    drawn += 1;
    return crypto.createHash("shake256", { outputLength: size }).update(String(drawn)).digest();
  };
}
syncBuiltinESMExports();
