// Notes the files that Node loads as modules, in their order, one a line, in the file that CONVEYOR_LOADS names.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) appendFileSync(process.env.CONVEYOR_LOADS, `${url}\n`);
    return next(url, context);
  },
});
