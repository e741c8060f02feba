import { execFileSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { COMMANDS, GROUPS } from "../commands/index.ts";
import { GLOBAL_OPTIONS } from "../global-options.ts";
import { NEXUS, runNexus } from "../testing/nexus-process.ts";
import { complete, completionScript, SHELLS } from "./index.ts";

const tree = { commands: COMMANDS, groups: GROUPS, globalOptions: Object.values(GLOBAL_OPTIONS) };
const at = (line: string) => complete(tree, line.split(" ")).completion;
const words = (line: string) => {
  const completion = at(line);
  return completion.kind === "words" ? completion.words.map(({ word }) => word) : completion.kind;
};

describe("what may follow", () => {
  it("is every command, or those that begin so", () => {
    expect(words("")).toEqual([...[...COMMANDS, ...GROUPS].map(({ name }) => name), "help"]);
    expect(words("ru")).toEqual(["run"]);
    expect(words("run st")).toEqual(["start", "stop"]);
    expect(words("--json run sta")).toEqual(["start"]);
    expect(words("help run ")).toEqual(GROUPS.find(({ name }) => name === "run")!.commands.map(({ name }) => name));
    expect(words("fnord ")).toBe("files");
  });

  it("is an option of that command, or a global one", () => {
    expect(words("token create --r")).toEqual(["--role"]);
    expect(words("run list --prof")).toEqual(["--profile"]);
    expect(words("up -")).toEqual(expect.arrayContaining(["--detach", "--listen", "--home", "--help"]));
  });

  it("is what an option takes", () => {
    expect(words("token create --role a")).toEqual(["auditor"]);
    expect(words("node run --folder ")).toBe("files");
    expect(words("completion ")).toEqual([...SHELLS]);
    expect(words("token create --name x --role auditor --j")).toEqual(["--json", "--jsonl"]);
    expect(complete(tree, ["--home", "/data", "--url=http://127.0.0.1:1", "run", "show", ""]).written).toEqual({
      home: "/data",
      url: "http://127.0.0.1:1",
    });
  });

  it("is something of the coordinator, or a file", () => {
    expect(at("run show ")).toEqual({ kind: "named", named: "run" });
    expect(at("run compare run_1 ")).toEqual({ kind: "named", named: "run" });
    expect(at("node approve cl")).toEqual({ kind: "named", named: "node" });
    expect(at("run start exa")).toEqual({ kind: "files" });
  });

  it("is nothing where no coordinator answers", async () => {
    expect(await runNexus(["__complete", "--", "run", "show", ""])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});

describe("a shell that was told how", () => {
  it.each(SHELLS)("reads the script for %s without an error", async (shell) => {
    const { stdout } = await runNexus(["completion", shell]);
    expect(stdout).toBe(completionScript(shell));
    if (!has(shell)) return console.warn(`${shell} is not installed: its script was not read.`);
    execFileSync(shell, shell === "fish" ? ["--no-execute"] : ["-n"], { input: stdout });
  });

  it.skipIf(!has("bash"))("completes as bash does", { timeout: 30_000 }, async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "bin"));
    await symlink(NEXUS, join(folder.path, "bin", "nexus"));
    const press = (line: string): readonly string[] =>
      execFileSync("bash", ["-c", `eval "$SCRIPT"; COMP_LINE="$1" COMP_POINT=\${#1}; _nexus; printf '%s\\n' "\${COMPREPLY[@]}"`, "bash", line], {
        encoding: "utf8",
        env: {
          SCRIPT: completionScript("bash"),
          PATH: `${join(folder.path, "bin")}:${process.env["PATH"]}`,
          NEXUS_HOME: join(folder.path, "home"),
          HOME: folder.path,
        },
      })
        .split("\n")
        .filter((word) => word !== "");
    expect(press("nexus ru")).toEqual(["run"]);
    expect(press("nexus token create --role ")).toEqual(["owner", "data-scientist", "data-owner", "auditor"]);
    expect(press("nexus --url http://127.0.0.1:9 model sh")).toEqual(["show"]);
  });
});

function has(shell: string): boolean {
  try {
    execFileSync(shell, ["-c", "exit 0"], { stdio: "ignore" });
    return true;
  } catch {
    return false; // not installed
  }
}
