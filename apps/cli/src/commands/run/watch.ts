import { argument, defineCommand, integer } from "../../command.ts";
import { followRun } from "../../follow-run.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";

export const runWatch = defineCommand({
  name: "watch",
  summary: "Follow a run to its end",
  details: "Ctrl-C stops the watching, not the run.",
  arguments: { run: argument("<run>", RUN_WORD) },
  options: { after: integer("--after <number>", "only events with a greater number", { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }) },
  examples: [
    { command: "nexus run watch run_4kz7" },
    { command: "nexus run watch run_4kz7 --jsonl --after 12", about: "for a program that has seen twelve events already" },
  ],
  async action({ args, options, output, signal, withNexus }) {
    await withNexus(async (nexus) => followRun(nexus.runs.handle(await runId(nexus, args.run)), { output, signal }, options.after));
  },
});
