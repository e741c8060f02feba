/** The Transport of a page, in this process: what a browser adds to its WebSocket's request, a test chooses. @module */
import type { Transport } from "@ciphernx/protocol/wire";
import { browserTransport } from "@ciphernx/protocol/wire/websocket/browser";
import { WebSocket } from "ws";

/** What pages' requests are sent with, by the user in the address that tells them apart. */
const requests = new Map<string, { readonly headers: Readonly<Record<string, string>>; readonly ca: string | undefined }>();

/** A WebSocket as browsers have it, made by `ws`. */
class PageSocket extends WebSocket {
  constructor(url: string, protocol: string) {
    const address = new URL(url);
    const request = requests.get(address.username)!;
    address.username = "";
    super(address, protocol, { ...request, perMessageDeflate: false });
    // A page is not told why; it sees the socket close.
    this.on("error", () => {});
  }
}

/** Opens the Transport of a page at the coordinator's address. @param headers `cookie`, `origin`, `sec-fetch-site`: what the browser says */
export function socketOfPage(url: string, headers: Readonly<Record<string, string>>, ca?: string): Transport {
  Object.assign(globalThis, { WebSocket: PageSocket });
  const page = `page${requests.size}`;
  requests.set(page, { headers, ca });
  return browserTransport({ origin: url.replace("://", `://${page}@`) });
}
