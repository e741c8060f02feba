import type { RunPlan } from "@ciphernx/ai/spec";
import { argument, defineCommand, flag } from "../../command.ts";
import { figuresByRound } from "../../runs/round-row.ts";
import { learntFrom } from "../../runs/learnt-from.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";
import { formatFigures } from "../../views/figures.ts";
import { formatParties, formatRun, roundData, runData } from "../../views/runs.ts";

export const runShow = defineCommand({
  name: "show",
  summary: "Show a run: its state, its rounds, and who failed in which round and why",
  arguments: { run: argument("<run>", RUN_WORD) },
  options: { parties: flag("--parties", "list each party of each round: its task, state, time, bytes and error") },
  examples: [{ command: "nexus run show run_4kz7" }, { command: "nexus run show run_4kz7 --parties" }],
  async action({ args, options, output, withNexus }) {
    await withNexus(async (nexus) => {
      const { run, rounds } = await nexus.runs.handle(await runId(nexus, args.run)).show();
      const { terminal, colours } = output;
      const frame = terminal === undefined ? undefined : { rounds: run.rounds, columns: terminal.columns() };
      const charts = frame === undefined ? undefined : formatFigures(figuresByRound(rounds), frame, colours);
      const parties = options.parties ? [formatParties(rounds, colours)] : [];
      const text = [formatRun(run, rounds, colours), ...parties, ...(charts === undefined ? [] : [charts])].join("\n\n");
      output.result({
        data: { run: runData(run), rounds: rounds.map(roundData), learntFrom: learntFrom(JSON.parse(run.planJson) as RunPlan, rounds) },
        text,
        ids: [run.id],
      });
    });
  },
});
