import type { RunSigner } from "@ciphernx/ai/federation/organisation";
import type { RunPlan } from "@ciphernx/ai/spec";
import { argument, defineCommand, flag, text } from "../../command.ts";
import { followRun } from "../../follow-run.ts";
import { offlineParties, offlineWarning } from "../../runs/offline-parties.ts";
import { ORGANISATION_OPTIONS, withOrganisation } from "../../organisation.ts";
import { readSpec } from "../../spec-file.ts";

export const runStart = defineCommand({
  name: "start",
  summary: "Start a run and follow it to its end",
  details: "Ctrl-C stops the watching, not the run.",
  arguments: { spec: argument("<spec>", "file with the run spec, or - for standard input") },
  options: {
    detach: flag("-d, --detach", "only start it, and print its id"),
    checkpoint: text("--checkpoint <file>", "start from these parameters: a safetensors or ONNX file with the model's tensors"),
    ...ORGANISATION_OPTIONS,
    key: text("--key <text>", "idempotency key: the same key starts the same run, not another one"),
  },
  examples: [
    { command: "nexus run start examples/mnist/run.yaml" },
    { command: "nexus run start run.yaml --checkpoint visits.onnx", about: "go on from a model that is there" },
    { command: "nexus run start run.yaml --org ./clinic-a-org", about: "in a project with organisations: yours starts it" },
    { command: "RUN=$(nexus run start examples/mnist/run.yaml --detach --quiet)", about: "for a script: start it and keep its id" },
  ],
  async action({ args, options, ...context }) {
    const { output, signal, withNexus } = context;
    const spec = await readSpec(args.spec, signal);
    const start = (signer?: RunSigner) =>
      withNexus(async (nexus) => {
        const handle = await nexus.runs.start(spec, {
          signer,
          ...(options.key === undefined ? {} : { idempotencyKey: options.key }),
          ...(options.checkpoint === undefined
            ? {}
            : { initial: await (await import("../../checkpoint-file.ts")).readCheckpoint(nexus, spec, options.checkpoint) }),
        });
        const plan = JSON.parse((await handle.show()).run.planJson) as RunPlan;
        const offline = offlineParties(plan, await nexus.nodes.list());
        const warning = offlineWarning(offline, plan);
        if (warning !== undefined) output.note(warning);
        if (options.detach) {
          output.result({
            data: { run: handle.id, offline },
            text: `Started ${handle.id}.\nnexus run watch ${handle.id} follows it.`,
            ids: [handle.id],
          });
          return;
        }
        output.note(`Started ${handle.id}.`);
        await followRun(handle, { output, signal }, 0);
      });
    const { org, passphraseFile } = options;
    if (org === undefined) return start();
    const { runSigner } = await import("@ciphernx/ai/federation/organisation");
    await withOrganisation({ folder: org, passphraseFile }, context, (organisation, access) => start(runSigner(access, organisation)));
  },
});
