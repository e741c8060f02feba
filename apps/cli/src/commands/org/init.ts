import { argument, defineCommand, requiredText } from "../../command.ts";
import { keepCa, PASSPHRASE_OPTION, readPassphrase } from "../../organisation.ts";
import { formatKey, rosterData } from "../../views/organisations.ts";

export const orgInit = defineCommand({
  name: "init",
  summary: "Begin the project's roster with an organisation of yours",
  details:
    "Makes the organisation's key in its folder, sealed by a passphrase; it never leaves that folder. From then on runs are started by organisations, and nodes take part with those alone that are on the roster.",
  arguments: { name: argument("<name>", "the organisation's name") },
  options: {
    folder: requiredText("--folder <folder>", "where the organisation keeps its key"),
    passphraseFile: PASSPHRASE_OPTION,
  },
  examples: [{ command: "nexus org init clinic-a --folder ./clinic-a-org" }],
  async action({ args: { name }, options: { folder, passphraseFile }, ...context }) {
    const { output, global, withNexus } = context;
    await withNexus(async (nexus, url) => {
      const { createOrganisation, foundingEntry } = await import("@ciphernx/ai/federation/organisation");
      const { projectId: project } = await nexus.status();
      const existing = await nexus.organisations.roster();
      if (existing !== undefined && existing.founder !== name) {
        const { NexusError } = await import("@ciphernx/core/errors");
        throw new NexusError("ROSTER_MOVED", `The organisation "${existing.founder}" has begun the roster of this project already.`, {
          hint: `It can invite you: \`nexus org invite ${name} --org FOLDER\`, and you \`nexus org join\`.`,
        });
      }
      const passphrase = await readPassphrase(passphraseFile, context, "new");
      const organisation = await createOrganisation({ folder, name, project, url, passphrase });
      await keepCa(folder, global.ca);
      if (existing?.organisations.get(name)?.key !== organisation.publicKey)
        await nexus.organisations.found((await foundingEntry(organisation)).entry);
      const roster = (await nexus.organisations.roster())!;
      await organisation.seen(roster);
      output.result({
        data: { roster: rosterData(roster), folder },
        text: [
          `${name} has begun the roster of the project ${project}.`,
          `Its key is in ${folder}, sealed: keep that folder and the passphrase safe, nobody can restore them. Public key:`,
          `  ${formatKey(organisation.publicKey)}`,
          "`nexus org invite NAME` invites others; `nexus node approve NAME --org FOLDER` signs for your nodes.",
        ].join("\n"),
        ids: [organisation.publicKey],
      });
    });
  },
});
