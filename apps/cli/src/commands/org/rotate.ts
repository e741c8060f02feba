import { defineCommand, requiredText } from "../../command.ts";
import { PASSPHRASE_OPTION, withOrganisation } from "../../organisation.ts";
import { formatKey, rosterData } from "../../views/organisations.ts";

export const orgRotate = defineCommand({
  name: "rotate",
  summary: "Replace an organisation's key",
  details: "The old key and the new one both sign; nodes go on as they are. The old key signs nothing any more.",
  options: { org: requiredText("--org <folder>", "the organisation's folder"), passphraseFile: PASSPHRASE_OPTION },
  examples: [{ command: "nexus org rotate --org ./clinic-a-org" }],
  async action({ options: { org, passphraseFile }, ...context }) {
    await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
      const { rotateKey } = await import("@ciphernx/ai/federation/organisation");
      const roster = await rotateKey(access, organisation);
      context.output.result({
        data: { roster: rosterData(roster) },
        text: `${organisation.name} has another key from entry ${roster.version} of the roster on:\n  ${formatKey(organisation.publicKey)}`,
        ids: [organisation.publicKey],
      });
    });
  },
});
