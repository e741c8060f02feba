import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { COMMANDS, GROUPS } from "../commands/index.ts";
import { GLOBAL_OPTIONS } from "../global-options.ts";
import { completionScript } from "./scripts.ts";
import { completionWords } from "./words.ts";

const words = completionWords(COMMANDS, GROUPS, GLOBAL_OPTIONS);

/** What bash offers for a line whose last word is being written. */
function offered(...line: readonly string[]): readonly string[] {
  const quoted = ["nexus", ...line].map((word) => `'${word}'`).join(" ");
  const script = `${completionScript("bash", words)}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${line.length}; _nexus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" })
    .split("\n")
    .filter((word) => word !== "");
}

describe("completion", () => {
  it("offers commands, then those of a group, then options", () => {
    expect(offered("")).toEqual(expect.arrayContaining(["up", "node", "run", "help", "--json"]));
    expect(offered("no")).toEqual(["node"]);
    expect(offered("node", "jo")).toEqual(["join"]);
    expect(offered("node", "join", "--to")).toEqual(["--token"]);
    expect(offered("node", "join", "--transport", "websocket", "--fol")).toEqual(["--folder"]);
    expect(offered("run", "start", "run.yaml", "--det")).toEqual(["--detach"]);
  });

  it("offers nothing that there is not", () => {
    expect(offered("nonsense", "--de")).toEqual([]);
    expect(offered("up", "--fol")).toEqual([]);
  });

  it("has every command and option of the program, for every shell", () => {
    for (const { path, commands, options } of words) {
      const shown = offered(...path.split(" ").filter((word) => word !== ""), "");
      expect(shown).toEqual(expect.arrayContaining([...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)]));
      for (const { flag } of options) expect(completionScript("fish", words)).toContain(`-l ${flag.slice(2)}`);
    }
  });

  it.each(["zsh", "fish"] as const)("is a script that %s reads", (shell) => {
    const { error, status, stderr } = spawnSync(shell, ["-n"], { input: completionScript(shell, words), encoding: "utf8" });
    if (error !== undefined) return console.log(`not read by ${shell}: it is not installed`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
