import { choice } from "./command.ts";

/** How a node talks to its coordinator: words of `TRANSPORT_KINDS`, written out so that no help loads what knows them. */
export const transportOption = choice(
  "--transport <kind>",
  "how the node talks: over HTTP, or all of it over one WebSocket, for firewalls that let nothing else out (default: connect, or as it joined)",
  ["connect", "websocket"],
  undefined,
);
