import { plural } from "@ciphernx/core/errors";
import { argument, choice, defineCommand, requiredText } from "../../command.ts";
import { EXPORT_FORMATS } from "../../export/formats.ts";
import { formatBytes } from "../../output/index.ts";
import { RUN_WORD } from "../../runs/run-id.ts";
import { addToRows, type RoundRow } from "../../runs/round-row.ts";

export const runExport = defineCommand({
  name: "export",
  summary: "Write a run's rounds to a file for other programs",
  details:
    "One row for each committed round: its metrics in training (fit.…) and on held-out rows (evaluated.…), bytes, seconds, who was missing, values clipped to encoding.range. TensorBoard is given a folder, one for each run; it is made where it is missing.",
  arguments: { run: argument("<run>", RUN_WORD) },
  options: {
    format: choice("--format <format>", "what to write", EXPORT_FORMATS, "csv"),
    output: requiredText("-o, --output <path>", "the file, or the folder for TensorBoard; what was there is replaced"),
  },
  examples: [
    { command: "nexus run export run_4kz7 --format csv --output rounds.csv" },
    { command: "nexus run export run_4kz7 --format tensorboard --output logs/run_4kz7", about: "then: tensorboard --logdir logs" },
  ],
  async action({ args, options, output, signal, withNexus }) {
    await withNexus(async (nexus) => {
      const [{ findRun }, { writeExport }] = await Promise.all([import("../../runs/find-run.ts"), import("../../export/write-export.ts")]);
      const run = findRun(await nexus.runs.list(), args.run);
      const byRound = new Map<number, RoundRow>();
      for await (const event of nexus.runs.handle(run.id).events({ follow: false, signal })) addToRows(byRound, event);
      const rows = [...byRound.values()];
      const { file, sizeBytes, strangers } = await writeExport({ run, rows, format: options.format, path: options.output });
      if (strangers.length > 0) {
        output.note(
          `${plural(strangers.length, "other event file")} in the folder: TensorBoard draws all of a folder as one run, so name a folder for each.`,
        );
      }
      const text = `${file}  ${plural(rows.length, "round")}, ${formatBytes(sizeBytes)}`;
      output.result({ data: { run: run.id, format: options.format, file, rounds: rows.length, sizeBytes }, text, ids: [file] });
    });
  },
});
