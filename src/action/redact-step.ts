import type { Redactor } from "../compose/world.ts";
import type { Step } from "./step.ts";

/** The same step, with secrets taken out of everything that it says: a runner masks only what it was told. */
export function redactStep(step: Step, redactor: Redactor): Step {
  return {
    log: (text) => step.log(redactor.text(text)),
    write: (line) => step.write(redactor.text(line)),
    annotate: (level, message, place) => step.annotate(level, redactor.text(message), redactor.value(place)),
    mask: (value) => step.mask(value),
    output: (name, value) => step.output(name, redactor.text(value)),
    summarize: (markdown) => step.summarize(redactor.text(markdown)),
  };
}
