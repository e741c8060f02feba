import { argument, defineCommand, requiredText } from "../../command.ts";
import { PASSPHRASE_OPTION, withOrganisation } from "../../organisation.ts";
import { rosterData } from "../../views/organisations.ts";

export const orgRemove = defineCommand({
  name: "remove",
  summary: "Take an organisation off the roster, with its nodes, for good",
  details: "An organisation removes itself; the founder may remove any other. Its name and keys are never used again.",
  arguments: { name: argument("<name>", "the organisation that goes") },
  options: { org: requiredText("--org <folder>", "the folder of the organisation that signs"), passphraseFile: PASSPHRASE_OPTION },
  examples: [{ command: "nexus org remove clinic-b --org ./clinic-b-org --yes", about: "leave the project" }],
  async action({ args: { name }, options: { org, passphraseFile }, ...context }) {
    await context.confirm(`Take the organisation ${name} and its nodes off the roster for good?`);
    await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
      const { removeOrganisation } = await import("@ciphernx/ai/federation/organisation");
      const roster = await removeOrganisation(access, organisation, name);
      context.output.result({
        data: { roster: rosterData(roster) },
        text: `${name} and its nodes are off the roster (entry ${roster.version}).`,
        ids: [name],
      });
    });
  },
});
