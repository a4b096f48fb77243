/** Code points that HFS+ leaves out when it compares names. */
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * True for a path that git would refuse to take in because some file system reads one of its names as `.git`, or, for
 * a symlink, as `.gitmodules`. Wider than git's own rule rather than narrower: scope refuses every such name anyway.
 */
export function isRefusedByGit(path: string, isLink: boolean): boolean {
  return path.split(/[/\\]/).some((part) => {
    const name = part
      .replaceAll(HFS_IGNORED, "")
      .toLowerCase()
      .replace(/:.*$/s, "")
      .replace(/[. ]+$/, "");
    if (name === ".git" || name === "git~1" || part === "." || part === "..") return true;
    return isLink && (name === ".gitmodules" || /^gi[0-9a-z]*~[0-9]+$/.test(name));
  });
}
