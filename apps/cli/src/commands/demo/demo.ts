import { NexusError } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";
import { choice, defineCommand, integer, optionalArgument, text } from "../../command.ts";

const STORIES = ["mnist", "heart-disease"] as const;

export const demo = defineCommand({
  name: "demo",
  summary: "Watch parties on this machine train one model without showing each other a row",
  details:
    "Starts a coordinator and a node for each party as processes of their own, each node with its rows in its own folder. " +
    "Every party is an organisation with a key of its own; they sign who takes part, and one of them starts the example's run.yaml. " +
    "Then the result is compared with what the parties reach alone and what they would reach by pooling their rows. Everything that was started is stopped. " +
    "mnist: ten parties with handwritten digits. heart-disease: four hospitals with patients' records, mixed types and much missing; " +
    "`nexus dataset fetch heart-disease` gets the records.",
  arguments: { story: optionalArgument("[story]", `${STORIES.join(" or ")}; default: mnist`) },
  options: {
    split: choice("--split <kind>", "mnist: how the rows are divided", ["dirichlet", "shards"], "dirichlet"),
    protection: choice("--protection <kind>", "what hides updates from the coordinator", ["secagg", "none"], "secagg"),
    data: text("--data <file>", "heart-disease: the file with the records, where it is not found"),
    draws: integer("--draws <number>", "heart-disease: draws of held-out rows to compare on", { min: 1, max: 1_000, fallback: 10 }),
    rounds: integer("--rounds <number>", "rounds (default: the example's; mnist with shards 30)", { min: 1, max: 10_000, fallback: undefined }),
    output: text("-o, --output <folder>", "where the model goes (default: ./demo-output)"),
  },
  examples: [
    { command: "nexus demo" },
    { command: "nexus demo heart-disease" },
    { command: "nexus demo --split shards" },
    { command: "nexus demo --protection none" },
    { command: "nexus demo --rounds 3 --json | jq .data.federated" },
  ],
  async action({ args: { story = "mnist" }, options, output, signal }) {
    const { endsWithParent } = await import("../../parent.ts");
    // npm does not always pass on how it ends.
    const isUnderNpm = process.env["npm_lifecycle_event"] === "demo";
    const edges = { output, signal: isUnderNpm ? endsWithParent(signal) : signal };
    switch (story) {
      case "mnist":
        return (await import("../../demo/show-mnist.ts")).showMnist(options, edges);
      case "heart-disease":
        return (await import("../../demo/show-heart-disease.ts")).showHeartDisease(options, edges);
    }
    const meant = nearest(story, STORIES);
    throw new NexusError("USAGE", `There is no demo "${story}"${meant === undefined ? "" : `; is it "${meant}"?`}`, {
      hint: `The demos are ${STORIES.join(" and ")}.`,
    });
  },
});
