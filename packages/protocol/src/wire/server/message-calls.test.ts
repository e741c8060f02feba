import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import { expect, it } from "vitest";
import { GetRunRequestSchema, ListRunsResponseSchema } from "../../gen/ciphernx/control/v1/control_pb.ts";
import { ControlService } from "../../proto.ts";
import { toConnectError } from "../error-detail.ts";
import { serverErrors } from "../server-errors.ts";
import { type MessageCall, messageCalls } from "./message-calls.ts";

const PROTO = { "content-type": "application/proto" };
const SILENT = { debug: () => {}, warn: () => {}, error: () => {} };
const NOTHING = new Uint8Array();

function service() {
  const calls = messageCalls(
    (router) =>
      router.service(ControlService, {
        listRuns: (_, { requestHeader }) => ({ runs: [{ id: requestHeader.get("x-id") ?? "none" }] }),
        getRun({ runId }) {
          throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
        },
        stopRun: () => new Promise(() => {}),
        startRun(_, { responseHeader }) {
          responseHeader.set("x-said", "1");
          return {};
        },
      }),
    { interceptors: [serverErrors(SILENT)], maxTimeoutMs: 1_000 },
  );
  const ask = async (name: string, call: Partial<MessageCall> = {}) => {
    const aborting = new AbortController();
    const whole = { method: "POST", headers: PROTO, body: NOTHING, aborting, values: createContextValues(), ...call };
    const { status, headers, body } = await calls.at(`/${ControlService.typeName}/${name}`)!(whole);
    const isMessage = headers["content-type"] === "application/proto";
    const told = isMessage ? undefined : (JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>);
    return { status, headers, body, told };
  };
  return { calls, ask };
}

it("answers messages of either form with one of the same", async () => {
  const { ask } = service();
  const binary = await ask("ListRuns", { headers: { ...PROTO, "x-id": "seven" } });
  expect(binary.status).toBe(200);
  expect(fromBinary(ListRunsResponseSchema, binary.body).runs.map(({ id }) => id)).toEqual(["seven"]);
  const json = await ask("ListRuns", { headers: { "content-type": "application/json" }, body: new TextEncoder().encode("{}") });
  expect(json).toMatchObject({ status: 200, told: { runs: [{ id: "none" }] } });
});

it.each([
  ["a GET", { method: "GET" }, 405],
  ["another type", { headers: { "content-type": "text/plain" } }, 415],
  ["a stream", { headers: { "content-type": "application/connect+proto" } }, 415],
  ["compressed bytes", { headers: { ...PROTO, "content-encoding": "gzip" } }, 415],
  ["bytes that are no message", { body: Uint8Array.of(0xff, 0xff) }, 400],
  ["text that is no JSON", { headers: { "content-type": "application/json" }, body: Uint8Array.of(0xff) }, 400],
  ["a deadline that is none", { headers: { ...PROTO, "connect-timeout-ms": "soon" } }, 400],
  ["a deadline beyond the longest", { headers: { ...PROTO, "connect-timeout-ms": "1001" } }, 400],
])("refuses %s by name", async (_, call, status) => {
  const answer = await service().ask("ListRuns", call);
  expect(answer).toMatchObject({ status, told: { error: { code: "MESSAGE_INVALID" } } });
});

it("passes errors of handlers on, with what clients of the library read of them", async () => {
  const { ask } = service();
  const body = toBinary(GetRunRequestSchema, create(GetRunRequestSchema, { runId: "run_1" }));
  const answer = await ask("GetRun", { body });
  expect(answer).toMatchObject({ status: 404, told: { code: "not_found", message: "No run has the id run_1." } });
  expect(answer.told!["details"]).toMatchObject([{ debug: { code: "RUN_NOT_FOUND" } }]);
});

it("names what is not implemented, and what no handler may do", async () => {
  const { ask } = service();
  expect(await ask("ResumeRun")).toMatchObject({ told: { error: { code: "MESSAGE_INVALID" } } });
  // Answers carry no headers of handlers: one that sets any is told so at once, in the log.
  expect(await ask("StartRun")).toMatchObject({ status: 500, told: { details: [{ debug: { code: "INTERNAL" } }] } });
});

it("ends a call that waits at its deadline, when its caller goes, and with the server", async () => {
  const { calls, ask } = service();
  expect(await ask("StopRun", { headers: { ...PROTO, "connect-timeout-ms": "20" } })).toMatchObject({
    status: 504,
    told: { error: { code: "TIMEOUT" } },
  });
  const aborting = new AbortController();
  const left = ask("StopRun", { aborting });
  aborting.abort(new Error("gone"));
  expect(await left).toMatchObject({ told: { error: { code: "INTERRUPTED" } } });
  const waiting = ask("StopRun");
  const closing = toConnectError(new NexusError("COORDINATOR_UNREACHABLE", "Closing."));
  calls.end(closing);
  const ended = { status: 503, told: { details: [{ debug: { code: "COORDINATOR_UNREACHABLE" } }] } };
  expect(await waiting).toMatchObject(ended);
  // As do those that come later.
  expect(await ask("StopRun")).toMatchObject(ended);
});
