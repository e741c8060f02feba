import { readFile } from "node:fs/promises";
import http2 from "node:http2";
import https from "node:https";
import { newInvitationSecret } from "@ciphernx/core/identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { becomeMember, secretOf, TEST_PASSWORD } from "./browser.fixture.ts";

let lent: TestCoordinator;
let ca: string;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  ca = await readFile(lent.coordinator.tls!.certificateFile, "utf8");
}, 60_000);
afterAll(() => stack.disposeAsync());

interface Answered {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** Asks over TLS and HTTP/1.1, as the coordinator's own page does. */
async function ask(path: string, message?: object, cookie?: string): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const headers = { "sec-fetch-site": "same-origin", "content-type": "application/json", ...(cookie === undefined ? {} : { cookie }) };
  https
    .request(`${lent.coordinator.tls!.url}${path}`, { ca, headers, method: message === undefined ? "GET" : "POST", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve({ status: response.statusCode!, cookies: response.headers["set-cookie"] ?? [], body }));
    })
    .once("error", reject)
    .end(message === undefined ? undefined : JSON.stringify(message));
  return promise;
}

describe("people on other machines", () => {
  const rpc = "/ciphernx.control.v1.ControlService/GetStatus";

  it("take up links to the public name, and get a cookie that only this host over TLS can have set", async () => {
    const { publicLink } = await lent.nexus.members.invite({ role: "auditor" });
    expect(publicLink).toMatch(new RegExp(`^${lent.coordinator.tls!.url}/#invitation=nxi_`));
    const claim = { secret: secretOf(publicLink!), name: "Ada", email: "ada@clinic.example", password: TEST_PASSWORD };
    const { status, cookies } = await ask("/auth/claim", claim);
    expect(status).toBe(200);
    const [pair = "", ...attributes] = (cookies[0] ?? "").split("; ");
    expect(pair).toMatch(/^__Host-nexus_session_prj_/);
    expect(attributes.toSorted()).toEqual(["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict", "Secure"]);
    expect((await ask(rpc, {}, pair)).status).toBe(200);
    expect(JSON.parse((await ask("/auth/session", undefined, pair)).body)).toMatchObject({ role: "auditor" });
    // A cookie that something else could have planted, by a plain connection or from another name of the domain.
    expect((await ask(rpc, {}, pair.replace("__Host-", ""))).status).toBe(401);
    expect((await ask("/auth/sign-out", {}, pair)).cookies[0]).toMatch(/^__Host-\S+=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    expect((await ask(rpc, {}, pair)).status).toBe(401);
  });

  it("are served the page over HTTP/2", async () => {
    const session = http2.connect(lent.coordinator.tls!.url, { ca });
    stack.defer(() => session.destroy());
    const stream = session.request({ ":path": "/" });
    let page = "";
    stream.setEncoding("utf8").on("data", (text: string) => (page += text));
    const { promise, resolve, reject } = Promise.withResolvers<http2.IncomingHttpHeaders>();
    stream.once("response", (headers) => stream.once("end", () => resolve(headers)));
    stream.once("error", reject);
    expect((await promise)["content-security-policy"]).toContain("default-src 'none'");
    expect(page).toContain("<title>Cipher Nexus</title>");
  });

  it("cannot use what the plain port gave to this machine's browser, and the other way round", async () => {
    const browser = await becomeMember(lent.url, (await lent.nexus.members.invite({ role: "auditor" })).localLink, "bea");
    expect((await browser.post(rpc, {})).status).toBe(200);
    expect((await ask(rpc, {}, browser.cookie)).status).toBe(401);
    browser.cookie = `__Host-${browser.cookie}`;
    expect((await browser.post(rpc, {})).status).toBe(401);
  });

  it("are told to wait after twenty wrong links and passwords, whatever they send then", async () => {
    const wrong = { secret: newInvitationSecret() };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 22; attempt += 1) statuses.push((await ask("/auth/invitation", wrong)).status);
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 403));
    expect(statuses).toContain(429);
    const { status, body } = await ask("/auth/sign-in", { email: "ada@clinic.example", password: TEST_PASSWORD });
    expect(status).toBe(429);
    expect(body).toContain("RATE_LIMITED");
  });
});
