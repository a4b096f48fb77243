import type { Starter } from "../domain/actors.ts";
import type { EventFacts } from "../domain/event-payload.ts";
import type { Github } from "../ports/github.ts";
import type { Door } from "../invocation/door.ts";
import type { Inputs } from "./input-specs.ts";
import type { Step } from "./step.ts";

/** One step of a workflow: what it was asked for, and what it can speak to. */
export interface ActionCall extends Door {
  readonly step: Step;
  readonly inputs: Inputs;
  /** The workspace of the job. */
  readonly cwd: string;
}

/** A step that the doors let in. */
export interface AdmittedCall extends ActionCall {
  readonly event: EventFacts;
  /** Who started the workflow run, and who ran it again; nobody without a token. */
  readonly starters: readonly Starter[];
  /** GitHub as the token sees it; nothing without a token. */
  readonly github: Github | undefined;
}
