import { argument, defineCommand, integer } from "../../command.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";
import { formatEvent } from "../../views/events.ts";

export const runLogs = defineCommand({
  name: "logs",
  summary: "Print what has happened in a run so far, with its times",
  details: "Events are numbered without gaps; --after goes on where an earlier call ended.",
  arguments: { run: argument("<run>", RUN_WORD) },
  options: { after: integer("--after <number>", "only events with a greater number", { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }) },
  examples: [{ command: "nexus run logs run_4kz7" }, { command: "nexus run logs run_4kz7 --jsonl > events.jsonl" }],
  async action({ args, options, output, signal, withNexus }) {
    await withNexus(async (nexus) => {
      const run = await runId(nexus, args.run);
      const { dim } = output.colours;
      const events = [];
      for await (const event of nexus.runs.handle(run).events({ after: options.after, follow: false, signal })) {
        output.event(event, `${dim(event.at)}  ${String(event.number).padStart(4)}  ${formatEvent(event, output.colours)}`);
        if (output.mode !== "people") events.push(event);
      }
      const count = events.length;
      output.result({
        data: output.mode === "jsonl" ? { run, events: count } : { run, events },
        text: "",
        ids: events.map(({ number }) => String(number)),
      });
    });
  },
});
