import { argument, defineCommand, integer, text } from "../../command.ts";
import { kernelOption } from "../../kernel-option.ts";

export const sim = defineCommand({
  name: "sim",
  summary: "Run a spec on this machine alone: the same rounds and the same bits, without sockets or nodes",
  details: "The spec's simulation section says whose data there is; the model's SHA-256 is that of the distributed run on the same data.",
  arguments: { spec: argument("<spec>", "file with the run spec, or - for standard input") },
  options: {
    workers: integer("--workers <number>", "worker threads (default: one for each core)", { min: 1, max: 1024, fallback: undefined }),
    kernel: kernelOption,
    output: text("-o, --output <file>", "write the model to this file, and its card beside it"),
  },
  examples: [{ command: "nexus sim examples/mnist/run.yaml" }, { command: "nexus sim examples/mnist/run.yaml --json | jq -r .data.modelHash" }],
  async action({ args, options, output, signal }) {
    const { simulateSpecFile } = await import("../../simulate-spec-file.ts");
    await simulateSpecFile(args.spec, options, { output, signal });
  },
});
