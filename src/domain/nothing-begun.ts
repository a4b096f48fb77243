/** The disk refused what a start had to write, before there was a run. */
export class NothingBegunError extends Error {}
