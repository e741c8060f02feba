import { defineCommand } from "../../command.ts";
import { formatLink, invitationData } from "../../views/members.ts";

const LINK_SECONDS = 3600;

export const memberLink = defineCommand({
  name: "link",
  summary: "Make a link that makes you an owner, for the browser on this machine",
  details: "The same as `nexus up` shows while there is no owner. It works once, for an hour, and only on the coordinator's own machine.",
  examples: [{ command: "nexus member link" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const { invitation, localLink } = await nexus.members.invite({ role: "owner", expiresInSeconds: LINK_SECONDS });
      output.result({ data: { invitation: invitationData(invitation), link: localLink }, text: formatLink(localLink, invitation), ids: [localLink] });
    });
  },
});
