import { NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { wantsColours } from "./colours.ts";
import { createOutput, type OutputMode } from "./output.ts";
import { formatFields, formatTable } from "./table.ts";
import { formatBytes, formatSeconds, formatShare } from "./units.ts";

function record(mode: OutputMode) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  return { written, output: createOutput({ mode, stdout: stream("stdout"), stderr: stream("stderr"), env: {} }) };
}

describe("output", () => {
  const ends: Readonly<Record<OutputMode, { readonly stdout: string; readonly stderr: string }>> = {
    people: { stdout: "one\nall\n", stderr: "wait\n" },
    json: { stdout: '{"schemaVersion":1,"status":"ok","data":{"bytes":5}}\n', stderr: "wait\none\n" },
    jsonl: { stdout: '{"number":1}\n{"schemaVersion":1,"status":"ok","data":{"bytes":5}}\n', stderr: "wait\n" },
    quiet: { stdout: "run_1\nrun_2\n", stderr: "" },
  };

  it.each(Object.entries(ends))("tells the same in mode %s", (mode, expected) => {
    const { written, output } = record(mode as OutputMode);
    output.note("wait");
    output.event({ number: 1 }, "one");
    output.result({ data: { bytes: 5n }, text: "all", ids: ["run_1", "run_2"] });
    expect(written).toEqual(expected);
  });

  it("writes an error with details as an envelope, and integers beyond 2^53 as text", () => {
    const { written, output } = record("json");
    output.failure(new NexusError("RUN_NOT_FOUND", "No run has the id run_1.", { details: { examples: 2n ** 60n } }), false);
    expect(JSON.parse(written.stdout)).toEqual({
      schemaVersion: 1,
      status: "error",
      error: {
        code: "RUN_NOT_FOUND",
        message: "No run has the id run_1.",
        hint: "`nexus run list` shows the runs.",
        docs: "docs/errors.md#run_not_found",
        details: { examples: "1152921504606846976" },
      },
    });
    expect(written.stderr).toBe("");
  });
});

describe("standing text", () => {
  const terminal = (facts: { readonly isTTY?: boolean; readonly rows?: number; readonly mode?: OutputMode; readonly term?: string }) => {
    const written: string[] = [];
    const { mode = "people", term = "xterm", ...rest } = facts;
    const stdout = { ...rest, columns: 90, write: (text: string) => written.push(text) };
    return { written, output: createOutput({ mode, stdout, stderr: { write: (text) => written.push(text) }, env: { TERM: term } }) };
  };

  it("stays under the lines that come, is replaced by the next, and stays where it is at the end", () => {
    const { written, output } = terminal({ isTTY: true, rows: 24 });
    expect(output.terminal?.columns()).toBe(90);
    output.event({}, "one");
    output.stand("a\nb");
    output.event({}, "two");
    output.stand("c");
    output.note("noted");
    output.event({}, "three");
    output.result({ data: {}, text: "all", ids: [] });
    const up = (lines: number): string => `\u001B[${lines}A\u001B[J`;
    expect(written).toEqual(["one\n", "a\nb\n", `${up(2)}two\na\nb\n`, `${up(2)}c\n`, "noted\n", "three\n", "all\n"]);
  });

  it.each([
    ["a pipe", {}],
    ["a program", { isTTY: true, mode: "jsonl" }],
    ["a dumb terminal", { isTTY: true, term: "dumb" }],
  ] as const)("is not drawn for %s", (_, facts) => {
    const { written, output } = terminal(facts);
    expect(output.terminal).toBeUndefined();
    output.stand("a");
    expect(written).toEqual([]);
  });

  it("is not drawn where the terminal is too low for it", () => {
    const { written, output } = terminal({ isTTY: true, rows: 8 });
    output.stand("a\n".repeat(7));
    expect(written).toEqual([]);
    output.stand("a\na");
    expect(written).toEqual(["a\na\n"]);
  });
});

describe("colours", () => {
  it.each([
    [{ isTerminal: true, env: {} }, true],
    [{ isTerminal: false, env: {} }, false],
    [{ isTerminal: true, env: { NO_COLOR: "1" } }, false],
    [{ isTerminal: true, env: { NO_COLOR: "" } }, true],
    [{ isTerminal: true, env: { TERM: "dumb" } }, false],
    [{ isTerminal: false, env: { FORCE_COLOR: "1" } }, true],
    [{ isTerminal: true, env: { FORCE_COLOR: "0" } }, false],
    [{ isTerminal: true, env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, false],
  ])("%j: %s", (facts, wanted) => {
    expect(wantsColours(facts)).toBe(wanted);
  });
});

describe("tables", () => {
  const columns = [
    { title: "NAME", cell: ({ name }: { name: string; size: string }) => name },
    { title: "SIZE", align: "right", cell: ({ size }: { name: string; size: string }) => size },
  ] as const;

  it("align cells by what is seen of them", () => {
    const rows = [
      { name: "\u001B[32mab\u001B[39m", size: "5" },
      { name: "abcdef", size: "12345" },
    ];
    expect(formatTable(columns, rows, "none")).toBe("NAME     SIZE\n\u001B[32mab\u001B[39m          5\nabcdef  12345");
    expect(formatTable(columns, [], "none")).toBe("none");
    expect(
      formatFields([
        ["a", "1"],
        ["long", "2"],
      ]),
    ).toBe("a     1\nlong  2");
  });
});

describe("units", () => {
  it("are those of people", () => {
    expect([0, 999, 1000, 99_440, 999_600, 1_254_000n, 4.2e9].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "99.4 kB",
      "1.0 MB",
      "1.3 MB",
      "4.2 GB",
    ]);
    expect([0.4218, 12.34, 250, 7500].map(formatSeconds)).toEqual(["0.42 s", "12.3 s", "4 min 10 s", "2 h 5 min"]);
    expect(formatShare(0.94312)).toBe("94.31%");
  });
});
