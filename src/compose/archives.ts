import { digestFile, unpackZip } from "../effects/zip-files.ts";

/** Archives as GitHub hands them out. */
export const archives = { digestFile, unpackZip };
