import { z } from "zod";

/** A time as GitHub and the journal write it. */
export const instantSchema = z.iso.datetime({ offset: true });

const asDate = z.coerce.date();

/** Milliseconds since 1970 of a time that `instantSchema` has let through. */
export function parseInstant(text: string): number {
  return asDate.parse(text).getTime();
}

/** The time as ISO 8601 in UTC, to the millisecond. */
export function renderInstant(ms: number): string {
  return asDate.parse(ms).toISOString();
}
