import { lstatSync } from "node:fs";
import { join } from "node:path";
import { isSoundLoose, LOOSE, lookAt, showOdd } from "./object-files.ts";
import type { ObjectFormat } from "./object-id.ts";
import { StoreFolders } from "./store-folders.ts";

/** What a run and the git that it starts leave in a store besides loose objects: packs of very large files, and torsos. */
const OWN_FILE =
  /^(?:(?:[0-9a-f]{2}\/)?tmp_obj_[^/]*|tmp_objdir-[^/]*\/.*|pack\/(?:\.?tmp[-_][^/]*|pack-[0-9a-z]+\.(?:pack|idx|rev|keep)))$/;

/**
 * What a store holds that may lie: loose objects whose bytes are not those their names promise, whatever is no file, links
 * in place of folders too, since nobody would see what changes behind them, folders and names that cannot be read, and
 * files that no run makes, such as a commit graph or an index of several packs, which git believes without a look at the
 * objects. And paths of all pack files.
 */
export async function inspectObjects(
  objects: string,
  format: ObjectFormat,
): Promise<{ unsound: string[]; packs: string[] }> {
  const packs: string[] = [];
  const { paths, odd, locked } = new StoreFolders(objects).list();
  const unsound = [...locked.map((path) => path || "objects"), ...odd.map(showOdd)];
  if (lstatSync(objects, { throwIfNoEntry: false })?.isDirectory() === false) unsound.push("objects");
  for (const path of paths) {
    const isLoose = LOOSE.test(path);
    const isSound =
      lookAt(objects, path)?.isFile() === true && (!isLoose || (await isSoundLoose(objects, path, format)));
    if (!isSound || !(isLoose || OWN_FILE.test(path))) unsound.push(isLoose ? path.replace("/", "") : path);
    else if (path.endsWith(".pack")) packs.push(join(objects, path));
  }
  return { unsound, packs };
}

/** Ids of all loose objects, by their names alone. */
export function listLooseIds(objects: string): string[] {
  return new StoreFolders(objects)
    .list()
    .paths.filter((path) => LOOSE.test(path))
    .map((path) => path.replace("/", ""));
}
