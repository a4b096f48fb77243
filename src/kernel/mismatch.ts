import type { JournalEvent } from "../domain/journal.ts";

/** One thing that does not agree, with the file, commit or event that shows it. */
export interface Mismatch {
  readonly where: string;
  readonly message: string;
}

/** Builds a mismatch. */
export function at(where: string, message: string): Mismatch {
  return { where, message };
}

type EventOf<T extends JournalEvent["type"]> = Extract<JournalEvent, { type: T }>;

/** The events of one type. */
export function eventsOf<T extends JournalEvent["type"]>(events: readonly JournalEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}
