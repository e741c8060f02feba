import { once } from "node:events";
import http2 from "node:http2";
import { expect, it } from "vitest";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { ControlService } from "../../proto.ts";
import { fromConnectError } from "../error-detail.ts";
import { openWireServer } from "./wire-server.fixture.ts";

/** Makes a call by gRPC and resolves with its trailers. */
async function callByGrpc(url: string, headers: http2.OutgoingHttpHeaders, envelope: Uint8Array): Promise<Headers> {
  const session = http2.connect(url);
  const all = { ":method": "POST", ":path": `/${ControlService.typeName}/ListRuns`, "content-type": "application/grpc+proto", te: "trailers" };
  const stream = session.request({ ...all, ...headers });
  stream.resume().end(envelope);
  const [trailers] = (await once(stream, "trailers")) as [http2.IncomingHttpHeaders];
  session.close();
  return new Headers(Object.entries(trailers).map(([name, value]) => [name, String(value)]));
}

it("names what gRPC's own trailers leave without a name", async () => {
  await using world = await openWireServer();
  const broken = await callByGrpc(world.server.url, {}, Uint8Array.of(0, 0, 0, 0, 2, 0xff, 0xff));
  expect(fromConnectError(findTrailerError(broken)!)).toMatchObject({
    code: "MESSAGE_INVALID",
    message: expect.stringMatching(/^The message of the call cannot be read: /),
  });
  const whole = await callByGrpc(world.server.url, {}, new Uint8Array(5));
  expect(findTrailerError(whole)).toBeUndefined();
});
