import { choice, defineCommand, integer, text } from "../../command.ts";

export const demo = defineCommand({
  name: "demo",
  summary: "Watch ten parties on this machine train one model without showing each other a row",
  details:
    "Starts a coordinator and ten nodes as processes of their own, each node with its part of MNIST in its own folder, runs examples/mnist/run.yaml, " +
    "and compares the result with what the parties reach alone and what they would reach by pooling their rows. Stops everything it started.",
  options: {
    split: choice("--split <kind>", "how the rows are divided", ["dirichlet", "shards"], "dirichlet"),
    rounds: integer("--rounds <number>", "rounds (default: 20, with shards 30)", { min: 1, max: 10_000, fallback: undefined }),
    output: text("-o, --output <folder>", "where the model goes (default: ./demo-output)"),
  },
  examples: [{ command: "nexus demo" }, { command: "nexus demo --split shards" }, { command: "nexus demo --rounds 3 --json | jq .data.federated" }],
  async action({ options, output, signal }) {
    const [{ showDemo }, { endsWithParent }] = await Promise.all([import("../../demo/show-demo.ts"), import("../../parent.ts")]);
    // npm does not always pass on how it ends.
    const isUnderNpm = process.env["npm_lifecycle_event"] === "demo";
    await showDemo(options, { output, signal: isUnderNpm ? endsWithParent(signal) : signal });
  },
});
