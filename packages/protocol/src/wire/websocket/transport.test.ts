import { startWireServer } from "../server/index.ts";
import { tlsWorld } from "../server/tls.fixture.ts";
import { signedWorld } from "../signatures/signed-world.fixture.ts";
import { transportCompliance } from "../transport.compliance.ts";
import { webSocketTransport } from "./index.ts";

transportCompliance("websocket", async (options) => {
  const server = await startWireServer({ ...options, port: 0 });
  return {
    connect: (token) => webSocketTransport({ baseUrl: server.url, token }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});

const world = await tlsWorld();
const { signer, checkSignature } = await signedWorld();

transportCompliance("websocket, signed", async (options) => {
  const server = await startWireServer({ ...options, port: 0, checkSignature });
  return {
    connect: (token) => webSocketTransport({ baseUrl: server.url, token, signer }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});

transportCompliance("websocket over TLS", async (options) => {
  const server = await startWireServer({ ...options, port: 0, tls: { host: "127.0.0.1", port: 0, credentials: world.server } });
  return {
    connect: (token) => webSocketTransport({ baseUrl: `https://127.0.0.1:${server.tls!.port}`, token, tls: { ca: world.authority.certificatePem } }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});
