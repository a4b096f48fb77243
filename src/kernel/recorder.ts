import { buildCheckpoint } from "../domain/checkpoint.ts";
import type { EventDetails, EventDraft, EventType } from "../domain/journal.ts";
import type { ItemRules } from "../domain/item-rules.ts";
import { evolveRun, type RunState } from "../domain/run.ts";
import type { Ports } from "../ports.ts";

/** The one way by which something becomes part of a run: journal first, then the state, then the checkpoint. */
export interface Recorder {
  readonly state: RunState;
  /** Appends an event, fsynced, and folds it; nothing that depends on it may happen before this returns. */
  record<T extends EventType>(type: T, details: EventDetails<T>, itemId?: string): void;
  /** Replaces the checkpoint durably, as a run does when it stops. */
  seal(): void;
}

/** Makes the recorder of one run from the state its journal folds to. */
export function createRecorder(
  ports: Pick<Ports, "journal" | "progress">,
  initial: RunState,
  rules: ItemRules,
): Recorder {
  let state = initial;
  return {
    get state() {
      return state;
    },
    record(type, details, itemId) {
      const event = ports.journal.append({ type, item_id: itemId ?? null, details } as EventDraft);
      state = evolveRun(state, event, rules);
      ports.journal.writeCheckpoint(buildCheckpoint(state, ports.journal.head), false);
      ports.progress({ kind: "event", event });
    },
    seal() {
      ports.journal.writeCheckpoint(buildCheckpoint(state, ports.journal.head), true);
    },
  };
}
