import { connectTransport } from "./connect.ts";
import { startWireServer } from "./server/index.ts";
import { transportCompliance } from "./transport.compliance.ts";

transportCompliance("connect", async (options) => {
  const server = await startWireServer({ ...options, port: 0 });
  return {
    connect: (token) => connectTransport({ baseUrl: server.url, token }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});
