import { argument, defineCommand, flag, text } from "../../command.ts";
import { followRun } from "../../follow-run.ts";
import { readSpec } from "../../spec-file.ts";

export const runStart = defineCommand({
  name: "start",
  summary: "Start a run and follow it to its end",
  details: "Ctrl-C stops the watching, not the run.",
  arguments: { spec: argument("<spec>", "file with the run spec, or - for standard input") },
  options: {
    detach: flag("-d, --detach", "only start it, and print its id"),
    key: text("--key <text>", "idempotency key: the same key starts the same run, not another one"),
  },
  examples: [
    { command: "nexus run start examples/mnist/run.yaml" },
    { command: "RUN=$(nexus run start examples/mnist/run.yaml --detach --quiet)", about: "for a script: start it and keep its id" },
  ],
  async action({ args, options, output, signal, withNexus }) {
    const spec = await readSpec(args.spec, signal);
    await withNexus(async (nexus) => {
      const handle = await nexus.runs.start(spec, options.key === undefined ? {} : { idempotencyKey: options.key });
      if (options.detach) {
        output.result({ data: { run: handle.id }, text: `Started ${handle.id}.\nnexus run watch ${handle.id} follows it.`, ids: [handle.id] });
        return;
      }
      output.note(`Started ${handle.id}.`);
      await followRun(handle, { output, signal }, 0);
    });
  },
});
