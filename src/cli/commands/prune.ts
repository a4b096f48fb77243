import { basename } from "node:path";
import { lockRun } from "../../compose/open-run.ts";
import { openUpkeep, upkeep } from "../../compose/upkeep.ts";
import type { Workplace } from "../../compose/workplace.ts";
import { world } from "../../compose/world.ts";
import {
  judgeBasePin,
  judgeCache,
  judgePrunableRun,
  judgeStartFolder,
  parseAge,
  type PruneVerdict,
} from "../../domain/prune.ts";
import { EXIT } from "../../domain/run-stop.ts";
import { isWhole } from "../../domain/saved-run.ts";
import { showText } from "../../domain/visible-text.ts";
import { refuse, requireWorkplace } from "../answer.ts";
import type { Format, Io } from "../io.ts";

interface PruneOptions {
  readonly olderThan: string;
  readonly dryRun?: boolean;
  readonly giveUp?: readonly string[];
  readonly format: Format;
}

/** One thing that prune looked at, and how it is removed. */
interface Subject {
  readonly kind: "run" | "start" | "cache" | "base_pin";
  readonly name: string;
  readonly verdict: PruneVerdict;
  /** Gives why it was kept after all, or nothing when it is gone. */
  readonly remove: () => Promise<string | undefined>;
}

/**
 * `conveyor prune`: removes what nothing needs any more. All that is to go is judged first and then removed; with
 * `--dry-run` it is printed alone. Run branches are never touched.
 */
export async function prune(io: Io, options: PruneOptions): Promise<number> {
  const age = parseAge(options.olderThan);
  if (!age.ok) return refuse(io, "USAGE", `--older-than: ${age.error}`);
  const workplace = await requireWorkplace(io);
  if (typeof workplace === "number") return workplace;
  const folders = world.listRunFolders(workplace.places);
  const unknown = (options.giveUp ?? []).find((name) => !folders.some((folder) => basename(folder) === name));
  if (unknown !== undefined) return refuse(io, "USAGE", `--give-up: no such run: ${unknown}`);
  const dryRun = options.dryRun ?? false;
  const subjects = await judgeAll(workplace, folders, upkeep.timeBefore(age.value), options.giveUp ?? []);
  if (!dryRun) for (const folder of upkeep.listHalfRemoved(workplace.places)) await upkeep.removeCache(folder);
  const outcomes: { act: "removed" | "would_remove" | "kept"; kind: Subject["kind"]; name: string; why: string }[] = [];
  for (const { kind, name, verdict, remove } of subjects) {
    if (verdict.act === "silent") continue;
    const kept = verdict.act === "keep" ? verdict.why : dryRun ? undefined : await remove();
    const act = kept !== undefined ? "kept" : dryRun ? "would_remove" : "removed";
    outcomes.push({ act, kind, name, why: kept ?? verdict.why });
  }
  if (options.format === "json") io.out(`${JSON.stringify({ dry_run: dryRun, outcomes })}\n`);
  else {
    for (const { act, kind, name, why } of outcomes)
      io.out(showText(`${act.replace("_", " ")}  ${kind.replace("_", " ")} ${name}: ${why}`));
    if (outcomes.length === 0) io.note("nothing to remove");
  }
  return EXIT.done;
}

async function judgeAll(
  workplace: Workplace,
  runFolders: readonly string[],
  cutoff: string,
  givenUp: readonly string[],
): Promise<Subject[]> {
  const { places, user } = workplace;
  const here = new Set(upkeep.listRunIds(places));
  const removeFolder = (folder: string) => () => removeRun(workplace, folder);
  const runs = runFolders.map((folder): Subject => {
    const name = basename(folder);
    const read = world.readSavedRun(folder);
    const saved = read.ok
      ? {
          stop: read.value.state.stop,
          delivered: read.value.state.delivery?.status === "moved",
          whole: isWhole(read.value, world.readCheckpoint(folder)),
          lastAt: read.value.state.lastAt,
        }
      : undefined;
    const holder = world.readHolder(folder)?.holder;
    const verdict = judgePrunableRun(
      { holder, isLink: world.isLink(folder), givenUp: givenUp.includes(name), saved },
      cutoff,
    );
    return { kind: "run", name, verdict, remove: removeFolder(folder) };
  });
  const starts = upkeep.listStartFolders(places).map((folder): Subject => {
    const runId = basename(folder);
    const verdict = judgeStartFolder(
      { runId, holder: world.readHolder(folder)?.holder, names: upkeep.listNames(folder) },
      cutoff,
    );
    return { kind: "start", name: runId, verdict, remove: removeFolder(folder) };
  });
  const caches = upkeep.listCaches(places).map((cache): Subject => {
    const remove = async (): Promise<undefined> => {
      await upkeep.removeCache(cache.path);
    };
    return { kind: "cache", name: cache.path, verdict: judgeCache(cache, cutoff), remove };
  });
  const pins = (await user.listBasePins())
    .filter(({ runId }) => !here.has(runId))
    .map((pin): Subject => {
      const remove = async (): Promise<undefined> => {
        await user.removeBasePin(pin.runId);
      };
      return { kind: "base_pin", name: `refs/conveyor/base/${pin.runId}`, verdict: judgeBasePin(pin, cutoff), remove };
    });
  return [...runs, ...starts, ...caches, ...pins];
}

/** Removes a run folder with its cache and its pin, under its lock: whoever would go on with it is told that it is held. */
async function removeRun(workplace: Workplace, folder: string): Promise<string | undefined> {
  const runId = basename(folder);
  const lock = lockRun(folder, runId);
  if (!lock.ok) return `is held by ${lock.error.holder}`;
  const around = openUpkeep(workplace, folder, runId);
  if (around.processes().length > 0) {
    lock.value.release();
    return "programs of it are still running: conveyor doctor --fix-safe ends them";
  }
  await upkeep.removeRunFolder(folder);
  await around.removeCache();
  await workplace.user.removeBasePin(runId);
  return undefined;
}
