import { machine } from "./machine.ts";
import type { SandboxLevel } from "../domain/run-choices.ts";
import type { SandboxFacts } from "../domain/sandbox.ts";
import { checkArtifacts, noteArtifacts, readArtifact } from "../effects/expected-artifacts.ts";
import { inspectArtifact } from "../effects/inspect-artifact.ts";
import { createPreparer } from "../effects/prepare.ts";
import { createProcesses } from "../effects/process.ts";
import { createEnvironments } from "../effects/program-environments.ts";
import { createRedactor } from "../effects/redactor.ts";
import type { RunFolders } from "../effects/run-places.ts";
import { createBubblewrap } from "../effects/sandbox/bubblewrap.ts";
import { findSystemTool } from "../effects/sandbox/limits.ts";
import { createSandboxProbes } from "../effects/sandbox/probe.ts";
import { makeTrialPlaces } from "../effects/sandbox/trial-places.ts";
import type { SandboxPlaces } from "../effects/sandbox/view.ts";
import type { Ports } from "../ports.ts";
import type { RunRepository } from "../ports/git.ts";
import type { Environments } from "../ports/programs.ts";
import type { RunWiring } from "./open-run.ts";
import type { Workplace } from "./workplace.ts";

/** Finds out what this machine offers to hold programs with, without a run. */
export async function probeSandboxHere(input: {
  readonly level: SandboxLevel;
  readonly root: string | undefined;
  readonly env: Workplace["env"];
  readonly interrupt: AbortSignal;
}): Promise<SandboxFacts> {
  await using trial = await makeTrialPlaces(input.root, input.env);
  const { places } = trial;
  const forbiddenPathRoots = [places.root, places.runFolder];
  const redactor = createRedactor(input.env);
  const orchestratorEnv = input.env;
  const environments = createEnvironments({ folder: places.cache, orchestratorEnv, forbiddenPathRoots, redactor });
  return await assembleProcesses(environments, { interrupt: input.interrupt, redactor }, places).sandbox.probe(
    input.level,
  );
}

/** The one runner of programs, and what tries how far it can hold them. */
function assembleProcesses(
  environments: Environments,
  { interrupt, redactor }: Pick<RunWiring, "interrupt" | "redactor">,
  places: SandboxPlaces,
) {
  const [bubblewrap, prlimit] = [findSystemTool("bwrap"), findSystemTool("prlimit")];
  const processes = createProcesses({
    ...machine,
    prlimit,
    redactor,
    bubblewrap:
      bubblewrap === undefined || prlimit === undefined ? undefined : createBubblewrap({ bubblewrap, prlimit }, places),
  });
  const setpriv = async (): Promise<boolean> => (await processes.probeParentDeath()).kind === "setpriv";
  const tools = { bubblewrap, prlimit, setpriv };
  const sandbox = createSandboxProbes({ processes, environments, ...machine, places, tools, interrupt });
  return { processes, sandbox };
}

/** What starts programs for a run, and looks at what they leave. */
export function assemblePrograms(
  workplace: Workplace,
  wiring: Pick<RunWiring, "interrupt" | "redactor">,
  { runFolder, folders, repository }: { runFolder: string; folders: RunFolders; repository: RunRepository },
): Pick<Ports, "processes" | "sandbox" | "preparer" | "environments" | "artifacts"> {
  const { cache, gitDir, prepareCache: cacheFolder } = folders;
  const environments = createEnvironments({
    folder: cache,
    orchestratorEnv: workplace.env,
    forbiddenPathRoots: [workplace.places.root, runFolder, cache],
    redactor: wiring.redactor,
  });
  const { processes, sandbox } = assembleProcesses(environments, wiring, {
    ...workplace.places,
    runFolder,
    cache,
    gitDir,
    userGitCommonDir: workplace.user.gitCommonDir,
    orchestratorEnv: workplace.env,
  });
  return {
    processes,
    sandbox,
    preparer: createPreparer({ processes, repository, cacheFolder }),
    environments,
    artifacts: { note: noteArtifacts, check: checkArtifacts, read: readArtifact, inspect: inspectArtifact },
  };
}
