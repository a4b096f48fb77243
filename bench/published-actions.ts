import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Ground, NODE } from "./world.ts";

/** An action that is published in the npm registry, in the version and with the bytes that are compared with. */
interface PublishedAction {
  readonly name: string;
  readonly version: string;
  /** As the registry tells it; another package under that name is not run. */
  readonly integrity: string;
  /** What a runner starts, as its `action.yml` says. */
  readonly main: string;
  /** A bundle; otherwise it comes with its dependencies beside it, as its releases do. */
  readonly isWhole: boolean;
}

/** Of the registry kind, of the repository kind, and one of the largest bundles that many workflows use. */
const PUBLISHED: readonly PublishedAction[] = [
  {
    name: "npm-install",
    version: "1.12.1",
    integrity: "sha512-PksblgZBL6OeWHNwwbaVOeTRmXtdVtj5M4OTTwgDWdxCRp7U0oH420wl08H3XgO6ChIZnQ/bxHAwkkhi7oZ72Q==",
    main: "dist/index.js",
    isWhole: true,
  },
  {
    name: "@jamesives/github-pages-deploy-action",
    version: "4.9.0",
    integrity: "sha512-IyQtOg/DdfMhsHU3NDTr+YMgOGxLEJH6OnJFz2nQuu+u00Iypnm0ut7NApmjsazm9fbuU5EVxS0hNE75tp/Y+A==",
    main: "lib/main.js",
    isWhole: false,
  },
  {
    name: "@cypress/github-action",
    version: "7.3.0",
    integrity: "sha512-AOYiON3AXuSQ3Oe71QDSJL1qeS0khLF8r8IkuU4uyu2uQECm2Qn2BIUTmh7ftpAQWhD5mcWHmYLsZppA/N0q7A==",
    main: "dist/index.js",
    isWhole: true,
  },
];

/** A published action that lies on this machine now. */
export interface FetchedAction {
  readonly label: string;
  /** Absolute path of what a runner starts. */
  readonly main: string;
}

/** Fetches the published actions into the ground; one that cannot be had is named on stderr and left out. */
export function fetchPublished(ground: Ground): FetchedAction[] {
  return PUBLISHED.flatMap((action) => {
    const label = `${action.name} ${action.version}`;
    try {
      return [{ label, main: join(fetch(ground, action), action.main) }];
    } catch (fault) {
      console.error(`${label} cannot be had: ${fault instanceof Error ? fault.message.split("\n")[0] : String(fault)}`);
      return [];
    }
  });
}

const FETCH_MS = 120_000;

function fetch(ground: Ground, { name, version, integrity, isWhole }: PublishedAction): string {
  const cwd = ground.make("published");
  const out = npm(cwd, ["pack", "--json", "--ignore-scripts", `${name}@${version}`]);
  const [packed] = Object.values(JSON.parse(out) as Record<string, { filename: string; integrity: string }>);
  if (packed === undefined || packed.integrity !== integrity)
    throw new Error(`expected ${integrity}, found ${packed?.integrity ?? "nothing"}`);
  execFileSync("tar", ["-xzf", packed.filename], { cwd, timeout: FETCH_MS });
  const folder = join(cwd, "package");
  if (!isWhole) npm(folder, ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]);
  return folder;
}

/** The npm beside this Node, or that of PATH; it asks the registry that this machine is set up for. */
function npm(cwd: string, args: readonly string[]): string {
  const env = { ...process.env, PATH: `${join(NODE, "..")}:${process.env["PATH"] ?? ""}` };
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    timeout: FETCH_MS,
    stdio: ["ignore", "pipe", "ignore"],
    env,
  });
}
