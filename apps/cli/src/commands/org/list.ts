import { defineCommand } from "../../command.ts";
import { ORGANISATION_OPTIONS, withOrganisation } from "../../organisation.ts";
import { formatRoster, rosterData } from "../../views/organisations.ts";

export const orgList = defineCommand({
  name: "list",
  summary: "Show the roster: organisations, their nodes and keys",
  details: "Every entry is verified on this machine. With --org it is also compared with what that organisation saw before, and needs no token.",
  options: ORGANISATION_OPTIONS,
  examples: [{ command: "nexus org list" }, { command: "nexus org list --org ./clinic-a-org" }],
  async action({ options: { org, passphraseFile }, ...context }) {
    const { output, withNexus } = context;
    const roster =
      org === undefined
        ? await withNexus((nexus) => nexus.organisations.roster())
        : await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
            const shown = await access.read();
            await organisation.seen(shown);
            return shown;
          });
    output.result({
      data: { roster: roster === undefined ? null : rosterData(roster) },
      text: roster === undefined ? "No organisation has begun a roster. `nexus org init` begins it." : formatRoster(roster),
      ids: [...(roster?.organisations.keys() ?? [])],
    });
  },
});
