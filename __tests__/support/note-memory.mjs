// Preload: writes the most memory that the process held, in bytes, to MEMORY_FILE when it ends.
import { writeFileSync } from "node:fs";

process.on("exit", () => writeFileSync(process.env.MEMORY_FILE ?? "", String(process.resourceUsage().maxRSS * 1024)));
