import { makeDemoRepository } from "../effects/demo-repository.ts";

/** What the demo makes for itself. */
export const demoWorld = { makeDemoRepository };
