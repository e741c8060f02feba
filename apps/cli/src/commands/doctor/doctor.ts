import { defineCommand, text } from "../../command.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Look for what is wrong on this machine, and say how to mend it",
  details:
    "Looks at versions, the data folder, free space, the database, certificates, the coordinator (reachable, token, clock) and, with --folder, a node: its key and " +
    "certificate, its datasets, its way to the coordinator. Changes nothing. Ends with exit code 1 when something will fail.",
  options: { folder: text("--folder <folder>", "a node's folder to look at as well") },
  examples: [
    { command: "nexus doctor" },
    { command: "nexus doctor --folder ./clinic-a" },
    { command: "nexus doctor --json | jq '.data.findings[]'" },
  ],
  async action({ options, global, output, signal }) {
    const { examine } = await import("../../doctor/examine.ts");
    await examine({ global, nodeFolder: options.folder, env: process.env, signal }, { output });
  },
});
