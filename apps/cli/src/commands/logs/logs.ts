import { choice, defineCommand, flag, integer } from "../../command.ts";

export const logs = defineCommand({
  name: "logs",
  summary: "Print the log of this machine's coordinator",
  details:
    "Reads coordinator.log in the data folder; secrets are taken out before they are written there. `nexus run logs` tells what happened in a run.",
  options: {
    follow: flag("-f, --follow", "go on with what comes, until Ctrl-C"),
    lines: integer("--lines <number>", "begin with so many of the last lines", { min: 0, max: 1_000_000, fallback: 50 }),
    level: choice("--level <level>", "leave out what is less", ["debug", "info", "warn", "error"], "debug"),
  },
  examples: [{ command: "nexus logs --follow" }, { command: "nexus logs --level warn --lines 1000" }, { command: "nexus logs --jsonl | jq .msg" }],
  async action({ options, global: { home }, output, signal }) {
    const { coordinatorLog, formatEntry, LEVELS, parseEntry, readLog } = await import("../../logs/index.ts");
    const entries = [];
    for await (const line of readLog(coordinatorLog(home), { lines: options.lines, follow: options.follow, signal })) {
      const entry = parseEntry(line);
      if (entry === undefined || entry.level < LEVELS[options.level]) continue;
      output.event(entry, formatEntry(entry, output.colours));
      if (output.mode === "json") entries.push(entry);
    }
    output.result({ data: output.mode === "json" ? { entries } : {}, text: "", ids: [] });
  },
});
