import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditorScript, makeFolder, withExecutor } from "../support/conveyor.ts";
import { AttackedRepository, ONE_ROUND, WORK } from "../support/attacks.ts";

/** What a session leaves in its HOME for whoever has the same one next. */
const POISON = [
  'for folder in "$HOME/.local/bin" "$HOME/bin" "$HOME/.cargo/bin" "$HOME/go/bin" "$HOME/.npm-global/bin" "$TMPDIR/bin"; do',
  '  mkdir -p "$folder"; for tool in git node bash npm test grep; do printf \'#!/bin/sh\\ntouch %s/%s\\n\' "$MARKS" "$tool" > "$folder/$tool"; chmod +x "$folder/$tool"; done',
  "done",
  'printf \'[alias]\\n\\tstatus = "!touch %s/alias"\\n[core]\\n\\tfsmonitor = touch %s/fsmonitor\\n\' "$MARKS" "$MARKS" > "$HOME/.gitconfig"',
  'mkdir -p "$HOME/.config/git" "$HOME/.config/gh" "$HOME/.codex" "$HOME/.claude" "$HOME/.ssh"; cp "$HOME/.gitconfig" "$HOME/.config/git/config"',
  'for file in .bashrc .bash_profile .profile .bash_login .npmrc .node_repl_history .codex/config.toml .claude/settings.json .ssh/config .config/gh/hosts.yml; do echo "touch $MARKS/rc" > "$HOME/$file"; done',
  'echo poisoned > "$TMPDIR/poison"; mkdir -p "$XDG_CACHE_HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME"; touch "$XDG_CACHE_HOME/poison" "$XDG_DATA_HOME/poison" "$XDG_STATE_HOME/poison"',
].join("\n");

/** Says what a program finds: its folders, what is in them, and which git it would start. */
const look = (folder: string, name: string): string =>
  [
    'found=$(for place in "$HOME" "$TMPDIR" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME"; do if [ -d "$place" ]; then find "$place" -mindepth 1; fi; done)',
    `printf '%s\\n' "home=$HOME" "tmp=$TMPDIR" "git=$(command -v git)" "path=$PATH" "found=$found" > "${folder}/${name}-$ORCH_ITEM_ID-$$"`,
    "git status > /dev/null 2>&1; true",
  ].join("\n");

describe("S-24: a HOME or PATH that one program poisons for the next", () => {
  test("the second item, its commands and all auditors have new folders and the same tools", async () => {
    const seen = makeFolder("conveyor-seen-");
    const rows = ["01", "02"].map((step_id) => ({
      step_id,
      required_verification_commands: `\`bash tools/look.sh; test -s out/${step_id}.txt\``,
    }));
    const repository = new AttackedRepository({
      rows,
      files: { "tools/look.sh": look(seen, "required") },
      auditors: {
        careful: `${look(seen, "careful")}\n${auditorScript()}`,
        quick: `${look(seen, "quick")}\n${auditorScript()}`,
      },
      configLines: [ONE_ROUND],
    });
    const script = `${look(seen, "executor")}\nmkdir -p out; echo done > "out/$ORCH_ITEM_ID.txt"\n${POISON}`;
    const attacked = await repository.untouched(() => repository.attack(script), { delivers: true });
    expect(attacked.code, attacked.stderr).toBe(0);
    const programs = readdirSync(seen).map((name) => {
      const text = readFileSync(join(seen, name), "utf8");
      const read = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "";
      return {
        name,
        home: read("home"),
        tmp: read("tmp"),
        git: read("git"),
        path: read("path"),
        found: text.split("found=")[1],
      };
    });
    expect(programs.map(({ name }) => name.replace(/-\d+$/, "")).toSorted()).toEqual(
      ["01", "02"]
        .flatMap((item) => ["careful", "executor", "quick", "required"].map((kind) => `${kind}-${item}`))
        .toSorted(),
    );
    for (const { name, found } of programs) expect(found?.trim(), name).toBe("");
    expect(new Set(programs.map(({ home }) => home)).size).toBe(programs.length);
    expect(new Set(programs.map(({ tmp }) => tmp)).size).toBe(programs.length);
    expect(new Set(programs.map(({ git, path }) => `${git} ${path}`)).size).toBe(1);
  });

  test("git of the orchestrator itself is none that lies in the checkout, also when it comes first in PATH", async () => {
    const repository = new AttackedRepository({ files: { ".gitignore": "node_modules/\n" } });
    const folders = [join(repository.path, "node_modules/.bin"), repository.path];
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "git"), `#!/bin/sh\n${repository.mark("git")}\nexec /usr/bin/git "$@"\n`, {
        mode: 0o755,
      });
    }
    const paths = [
      `${folders[0] ?? ""}:${process.env["PATH"] ?? ""}`,
      `.:${process.env["PATH"] ?? ""}`,
      `:${process.env["PATH"] ?? ""}`,
    ];
    for (const PATH of paths) {
      const attacked = await repository.untouched(
        () => repository.attack(WORK, { env: { PATH }, args: ["--allow-dirty"] }),
        {
          delivers: true,
        },
      );
      expect(attacked.code, attacked.stderr).toBe(0);
      for (const args of [["verify"], ["doctor"], ["status"]]) await repository.conveyor(args, { env: { PATH } });
      repository.expectNoMarks();
    }
  });

  test("entries of PATH that are relative, or that lie where a session writes, lead to no program", async () => {
    const repository = new AttackedRepository({
      files: { "bin/bash": "#!/bin/sh\n", "bin/git": "#!/bin/sh\n" },
    });
    const evil = join(repository.path, "evil");
    mkdirSync(evil);
    for (const tool of ["grep", "sleep", "seq"]) {
      writeFileSync(join(evil, tool), `#!/bin/sh\n${repository.mark(tool)}\n`, { mode: 0o755 });
    }
    const base = process.env["PATH"] ?? "";
    const script = `${WORK}; for tool in grep sleep seq; do printf '#!/bin/sh\\n${repository.mark("worktree")}\\n' > out/$tool; chmod +x out/$tool; done; (seq 1; sleep 0; echo x | grep x) > /dev/null; echo "$PATH" > out/path.txt`;
    const ended = await repository.run(["--allow-dirty", ...withExecutor(script)], {
      env: { PATH: `.:out:./bin::${evil}:${base}` },
    });
    expect(ended.outcome.items[0]?.terminal_state, ended.stderr).toBe("passed");
    expect(repository.git("show", `${ended.outcome.branch}:out/path.txt`)).toBe(base);
    repository.expectNoMarks();
  });
});
