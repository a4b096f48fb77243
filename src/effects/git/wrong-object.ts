import { GitError } from "./git.ts";

/** How git, asked in English, says that an object is not what it should be, or gone. */
const SAYS_OBJECT_IS_WRONG = /hash mismatch|failed to unpack tree|unable to read|not a valid object|bad object|corrupt/;

/** True when a fault is git's word for an object that is wrong. */
export function isWrongObject(fault: unknown): fault is GitError {
  return fault instanceof GitError && SAYS_OBJECT_IS_WRONG.test(fault.stderr);
}

/** What git says of an object that is wrong; throws every other fault. */
export function sayWrongObject(fault: unknown): string {
  if (isWrongObject(fault)) return fault.stderr.trim();
  throw fault;
}
