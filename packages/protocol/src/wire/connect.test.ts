import { connectTransport } from "./connect.ts";
import { startWireServer } from "./server/index.ts";
import { tlsWorld } from "./server/tls.fixture.ts";
import { signedWorld } from "./signatures/signed-world.fixture.ts";
import { transportCompliance } from "./transport.compliance.ts";

transportCompliance("connect", async (options) => {
  const server = await startWireServer({ ...options, port: 0 });
  return {
    connect: (token) => connectTransport({ baseUrl: server.url, token }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});

const world = await tlsWorld();
const { signer, checkSignature } = await signedWorld();

transportCompliance("connect, signed", async (options) => {
  const server = await startWireServer({ ...options, port: 0, checkSignature });
  return {
    connect: (token) => connectTransport({ baseUrl: server.url, token, signer }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});

transportCompliance("connect over TLS", async (options) => {
  const server = await startWireServer({ ...options, port: 0, tls: { host: "127.0.0.1", port: 0, credentials: world.server } });
  return {
    connect: (token) => connectTransport({ baseUrl: `https://127.0.0.1:${server.tls!.port}`, token, tls: { ca: world.authority.certificatePem } }),
    [Symbol.asyncDispose]: () => server.close(),
  };
});
