import { defineCommand, flag } from "../../command.ts";

export const down = defineCommand({
  name: "down",
  summary: "Stop the coordinator of the data folder",
  details: "Runs go on where they were when it is started again.",
  options: { purge: flag("--purge", "also delete the data folder with every run, model and token in it") },
  examples: [{ command: "nexus down" }, { command: "nexus down --purge --yes" }],
  async action({ options, ...context }) {
    const { stopCoordinator } = await import("../../coordinator-process.ts");
    await stopCoordinator(options, context);
  },
});
