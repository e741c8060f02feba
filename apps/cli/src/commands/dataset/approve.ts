import { argument, day, defineCommand, requiredText } from "../../command.ts";

export const datasetApprove = defineCommand({
  name: "approve",
  summary: "Let a run learn from a dataset of this node",
  details:
    "What is approved is that spec, whole: a run of any other spec is not, and the other terms of the dataset still hold. A node that is running goes by it from its next task on. Approvals lie in the node's folder; each is noted in its decisions.jsonl.",
  arguments: { name: argument("<name>", "the dataset's name, as `nexus dataset add` was told") },
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    run: requiredText("--run <spec>", "what is approved: the run's spec file, or the spec's hash, as the refusal names it"),
    until: day("--until <day>", "the last day (UTC) on which it holds, such as 2027-01-31 (default: until it is revoked)"),
  },
  examples: [
    { command: "nexus dataset approve visits --folder ./clinic-a --run visits.yaml" },
    { command: "nexus dataset approve visits --folder ./clinic-a --run visits.yaml --until 2027-01-31" },
  ],
  async action({ args: { name: dataset }, options: { folder, run, until }, output, signal }) {
    const [{ folderApprovals, logDecision, readKeptRoster }, { readTerms }, { requireDescribed }, { approvedSpec }] = await Promise.all([
      import("@ciphernx/ai/federation/node"),
      import("@ciphernx/ai/data/node"),
      import("./described-dataset.ts"),
      import("./approved-spec.ts"),
    ]);
    await requireDescribed(dataset, folder);
    const terms = await readTerms(folder, dataset);
    const spec = await approvedSpec(run, dataset, signal);
    const last = until === undefined ? {} : { until };
    const seen = await readKeptRoster(folder);
    const roster = seen === undefined ? {} : { roster: { version: seen.version, hash: seen.hash } };
    const approval = { dataset, ...spec, approvedAt: new Date().toISOString(), ...last, ...roster };
    // Noted first: no approval is there that nobody noted.
    await logDecision(folder, { act: "approved", dataset, specHash: spec.specHash, ...last, ...roster });
    await folderApprovals(folder).write(approval);
    const idle =
      terms === undefined || terms.runs === "any" ? ` The terms of ${dataset} ask for no approval (runs: approved), so it changes nothing yet.` : "";
    const among =
      seen === undefined
        ? ""
        : ` Parties and whoever starts it are of ${[...seen.organisations.keys()].toSorted().join(", ")} (entry ${seen.version} of the roster); nobody who joins later.`;
    output.result({
      data: { approval },
      text: `Approved spec ${spec.specHash} for ${dataset}${until === undefined ? "" : ` until ${until}`}.${among}${idle}`,
      ids: [spec.specHash],
    });
  },
});
