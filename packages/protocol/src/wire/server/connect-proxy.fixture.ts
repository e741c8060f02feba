/** An HTTP proxy of a test that lets CONNECT through, or does not. @module */
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

export interface ConnectProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it was asked to lead to. */
  readonly targets: readonly string[];
}

export interface ConnectProxyOptions {
  /** On which address it listens. */
  readonly host?: string;
  /** `user:password` that it wants. */
  readonly credentials?: string;
  /** What it answers instead of leading anywhere. */
  readonly refusal?: number;
}

export async function connectProxy({ host = "127.0.0.1", credentials, refusal }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const targets: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = http.createServer((_request, response) => void response.writeHead(405).end());
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("connect", (request, client: net.Socket, head) => {
    client.on("error", () => client.destroy());
    const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;
    const status = refusal ?? (request.headers["proxy-authorization"] === expected ? undefined : 407);
    if (status !== undefined) return void client.end(`HTTP/1.1 ${status} No\r\nProxy-Authenticate: Basic\r\n\r\n`);
    targets.push(request.url ?? "");
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = net.connect(Number(port), hostname.replace(/^\[(.*)\]$/, "$1"), () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroySoon());
    upstream.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    ...{ port: (server.address() as net.AddressInfo).port, targets },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
