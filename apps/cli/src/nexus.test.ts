import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { COMMANDS, GROUPS } from "./commands/index.ts";
import { createProgram } from "./program.ts";
import { finished, runNexus, startNexus, WITHOUT_EXECVE } from "./testing/nexus-process.ts";

describe("nexus --version", () => {
  it("prints the version of package.json", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await runNexus(["--version"])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: "" });
    expect(JSON.parse((await runNexus(["-V", "--json"])).stdout)).toEqual({ schemaVersion: 1, status: "ok", data: { version } });
  });
});

describe("nexus --help", () => {
  const paths = [
    [],
    ...COMMANDS.map(({ name }) => [name]),
    ...GROUPS.flatMap(({ name, commands }) => [[name], ...commands.map((command) => [name, command.name])]),
  ];

  it("ends with examples at every command, and every example calls nexus", () => {
    for (const path of paths) {
      let help = "";
      // In this process: that a command line gets here is shown by the other tests.
      expect(createProgram({ write: (text) => (help += text) }).parse([...path, "--help"])).toBeUndefined();
      const [, examples] = help.split("\nExamples:\n");
      const commands = examples?.split("\n").filter((line) => line.startsWith("  $ ")) ?? [];
      expect(commands.length, `examples of nexus ${path.join(" ")}`).toBeGreaterThan(0);
      for (const line of commands) expect(line).toContain(`nexus ${path.join(" ")}`.trim());
    }
  });

  it("is what nexus help prints, of a command that is named too", async () => {
    for (const path of [[], ["run"], ["run", "start"], ["sim"]])
      expect(await runNexus(["help", ...path])).toEqual(await runNexus([...path, "--help"]));
    expect(await runNexus(["help", "run", "strat"])).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: "error: Unknown command 'strat'.\nhint: Did you mean start? See `nexus run --help`.\n",
    });
  });

  it("is what a bare nexus prints", async () => {
    expect(await runNexus([])).toEqual(await runNexus(["--help"]));
  });
});

describe("a command line that means nothing", () => {
  const usageErrors: readonly (readonly [string, readonly string[], { readonly message: string; readonly hint: string }])[] = [
    ["unknown command", ["rum"], { message: "Unknown command 'rum'.", hint: "Did you mean run? See `nexus --help`." }],
    [
      "unknown command of a group",
      ["run", "strat", "x"],
      { message: "Unknown command 'strat'.", hint: "Did you mean start? See `nexus run --help`." },
    ],
    [
      "unknown option",
      ["run", "start", "--dettach", "x"],
      { message: "Unknown option '--dettach'.", hint: "Did you mean --detach? See `nexus run start --help`." },
    ],
    ["nothing like a command", ["fnord"], { message: "Unknown command 'fnord'.", hint: "See `nexus --help`." }],
    ["missing argument", ["run", "start"], { message: "Missing required argument 'spec'.", hint: "See `nexus run start --help`." }],
    ["missing option", ["node", "run"], { message: "Required option '--folder <folder...>' not specified.", hint: "See `nexus node run --help`." }],
    ["missing command", ["model"], { message: "nexus model needs a command: list, show, pull, export.", hint: "See `nexus model --help`." }],
    [
      "number out of range",
      ["up", "--port", "70000"],
      { message: '--port takes a whole number from 0 to 65535, not "70000".', hint: "See `nexus up --help`." },
    ],
    [
      "no length of time",
      ["node", "token", "--expires", "1 week"],
      { message: '--expires takes a length of time such as 90s, 15m, 2h or 7d, not "1 week".', hint: "See `nexus node token --help`." },
    ],
    ...["2MBit", "999B/s", "0.9kB/s", "-1MB/s", "2MB"].map(
      (rate) =>
        [
          `no rate: ${rate}`,
          ["node", "run", "--folder", "x", `--upload-limit=${rate}`],
          {
            message: `--upload-limit takes a rate from 1kB/s on, such as 500kB/s or 2.5MB/s, not "${rate}".`,
            hint: "See `nexus node run --help`.",
          },
        ] as const,
    ),
    [
      "one argument too many",
      ["run", "show", "a", "b"],
      { message: "Too many arguments for 'show'. Expected 1 argument but got 2: a, b.", hint: "See `nexus run show --help`." },
    ],
  ];

  it.each(usageErrors)("%s: exit code 2 and one envelope on stdout", async (_, args, { message, hint }) => {
    const { code, stdout } = await runNexus([...args, "--json"]);
    expect({ code, envelope: JSON.parse(stdout) as unknown }).toEqual({
      code: 2,
      envelope: { schemaVersion: 1, status: "error", error: { code: "USAGE", message, hint, docs: "docs/errors.md#usage" } },
    });
  });

  it("for people: on stderr alone, without colours when NO_COLOR or no terminal asks for it", async () => {
    const plain = "error: Unknown command 'rum'.\nhint: Did you mean run? See `nexus --help`.\n";
    expect(await runNexus(["rum"])).toEqual({ code: 2, signal: null, stdout: "", stderr: plain });
    expect((await runNexus(["rum"], { env: { NO_COLOR: "1", FORCE_COLOR: "1" } })).stderr.startsWith(plain)).toBe(true); // Node itself warns of the contradiction afterwards
    expect((await runNexus(["rum"], { env: { FORCE_COLOR: "1" } })).stderr).toContain("\u001B[31merror:\u001B[39m");
  });

  it("reads the options of all commands before and after their names", async () => {
    for (const args of [
      ["--json", "run", "fnord"],
      ["run", "--json", "fnord"],
      ["run", "fnord", "--json"],
    ]) {
      expect(JSON.parse((await runNexus(args)).stdout)).toMatchObject({ status: "error", error: { code: "USAGE" } });
    }
  });
});

describe("without a coordinator", () => {
  it("ends with exit code 4 where the data folder knows of none", async () => {
    const { code, stdout } = await runNexus(["run", "list", "--json"]);
    expect({ code, envelope: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 4,
      envelope: {
        status: "error",
        error: {
          code: "COORDINATOR_UNREACHABLE",
          message: "No coordinator runs on the data folder /nonexistent/nexus-home.",
          docs: "docs/errors.md#coordinator_unreachable",
        },
      },
    });
  });

  it("ends with exit code 4 where nobody listens", async () => {
    // Port 1 (tcpmux) is privileged and listened on by nothing.
    const { code, stdout } = await runNexus(["run", "list", "--json", "--url", "http://127.0.0.1:1", "--token", "x"]);
    expect({ code, envelope: JSON.parse(stdout) as unknown }).toMatchObject({ code: 4, envelope: { error: { code: "COORDINATOR_UNREACHABLE" } } });
  });

  it("ends with exit code 4 without a token, and 2 with an address that is none", async () => {
    expect((await runNexus(["run", "list", "--url", "http://127.0.0.1:1"])).code).toBe(4);
    expect((await runNexus(["run", "list", "--url", "127.0.0.1"])).code).toBe(2);
  });

  it("names a spec file that does not exist, with exit code 2", async () => {
    const { code, stderr } = await runNexus(["run", "plan", "/nonexistent/run.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("The spec file /nonexistent/run.yaml does not exist.");
  });

  it("asks before what cannot be taken back, and refuses where nobody can answer", async () => {
    const { code, stderr } = await runNexus(["node", "remove", "clinic-a"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--yes");
  });
});

describe("the process", () => {
  it("shows the stack to those who ask with NEXUS_DEBUG, and to nobody else", async () => {
    expect((await runNexus(["run", "list"])).stderr).not.toContain("    at ");
    expect((await runNexus(["run", "list"], { env: { NEXUS_DEBUG: "1" } })).stderr).toContain("    at ");
  });

  it("ends quietly when its reader has gone", async () => {
    const child = startNexus(["--help"]);
    child.stdin.end();
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect({ code: code as unknown, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it.each([
    ["in one process", []],
    ["as a child of an older Node", WITHOUT_EXECVE],
  ])("ends with 130 on Ctrl-C (%s)", async (_, nodeFlags) => {
    const child = startNexus(["run", "plan", "-"], { nodeFlags });
    // More than a pipe holds: once it is taken, the command is up and waits for the rest.
    if (!child.stdin.write("# spec\n".repeat(100_000))) await once(child.stdin, "drain");
    child.stdin.on("error", () => undefined); // the command goes without reading the rest
    child.kill("SIGINT");
    expect(await finished(child)).toEqual({ code: 130, signal: null, stdout: "", stderr: "error: Interrupted.\n" });
  });

  it("passes arguments and exit code through an older Node", async () => {
    expect(await runNexus(["rum"], { nodeFlags: WITHOUT_EXECVE })).toEqual(await runNexus(["rum"]));
  });
});
