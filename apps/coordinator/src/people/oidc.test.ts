import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { userAccounts, users, userSessions } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { becomeMember, testBrowser } from "./browser.fixture.ts";
import { createOidc, OIDC_CALLBACK } from "./oidc.ts";
import { freePort, startOidcProvider } from "./oidc-provider.fixture.ts";

const SECRET = "a secret of the client, long enough for the provider";
const stack = new AsyncDisposableStack();
let secretFile: string;
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder());
  secretFile = join(folder.path, "client-secret");
  await writeFile(secretFile, `${SECRET}\n`);
});
afterAll(() => stack.disposeAsync());

describe("signing in by an OpenID provider, a process of its own", () => {
  let lent: TestCoordinator;
  let issuer: string;
  let setNext: (claims: object) => Promise<void>;
  let own: string;
  beforeAll(async () => {
    const port = await freePort();
    own = `http://localhost:${port}`;
    const provider = stack.use(await startOidcProvider(`${own}${OIDC_CALLBACK}`, SECRET));
    ({ issuer, setNext } = provider);
    lent = stack.use(
      await testCoordinator({ port, wrongSecretsPerMinute: 1_000_000, oidc: { issuer, clientId: "nexus", clientSecretFile: secretFile } }),
    );
  }, 60_000);

  const fromPage = (): Readonly<Record<string, string>> => ({ origin: own });
  const pairOf = (cookies: readonly string[], what: RegExp): string =>
    cookies.map((cookie) => cookie.split(";", 1)[0]!).find((pair) => what.test(pair)) ?? "";

  /** Begins in a browser that may be signed in, and goes through the provider's pages as the person of the claims; ends where it leads back to. */
  async function atProvider(claims: object, cookie = ""): Promise<{ readonly callback: string; readonly flow: string }> {
    await setNext(claims);
    const begun = await fetch(`${own}/auth/oidc/begin`, {
      method: "POST",
      headers: { ...fromPage(), "content-type": "application/json", "sec-fetch-site": "same-origin", ...(cookie === "" ? {} : { cookie }) },
      body: "{}",
    });
    const { url } = (await begun.json()) as { readonly url: string };
    const [flowCookie = ""] = begun.headers.getSetCookie();
    expect(flowCookie).toMatch(/_oidc=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    const jar = new Map<string, string>();
    let at = url;
    while (!at.startsWith(own)) {
      const answer = await fetch(at, { redirect: "manual", headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") } });
      await answer.arrayBuffer();
      for (const set of answer.headers.getSetCookie()) {
        const [name = "", value = ""] = set.split(";", 1)[0]!.split("=", 2);
        jar.set(name, value);
      }
      const location = answer.headers.get("location");
      if (location === null) throw new Error(`The provider leads nowhere from ${at}: ${answer.status}`);
      at = new URL(location, at).href;
    }
    return { callback: at, flow: flowCookie.split(";", 1)[0]! };
  }

  /** Comes back from the provider; tells where the page is sent, and who is signed in then. */
  async function comeBack({ callback, flow }: { readonly callback: string; readonly flow: string }) {
    const answer = await fetch(callback, {
      redirect: "manual",
      headers: { cookie: flow, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    });
    await answer.arrayBuffer();
    const browser = testBrowser(own);
    browser.cookie = pairOf(answer.headers.getSetCookie(), /^nexus_session_prj_[a-z0-9]+=./);
    const who = browser.cookie === "" ? undefined : (await browser.get("/auth/session")).body;
    return { status: answer.status, location: answer.headers.get("location"), who, browser };
  }

  const signIn = async (claims: object) => comeBack(await atProvider(claims));
  const refused = { status: 303, location: "/#problem=SIGN_IN_FAILED", who: undefined };
  const failed = { status: 303, location: "/#problem=OIDC_FAILED", who: undefined };
  const ada = { sub: "ada-1", email: "Ada@clinic.example", email_verified: true, name: "Ada" };

  it("lets those in who are invited with the address that it has verified, and knows them by their subject afterwards", async () => {
    expect(await signIn(ada)).toMatchObject(refused);
    await lent.nexus.members.invite({ role: "auditor", email: "ada@clinic.example" });
    expect(await signIn({ ...ada, email_verified: false })).toMatchObject(refused);
    expect(await signIn({ ...ada, email: "eve@clinic.example", sub: "eve-1" })).toMatchObject(refused);
    expect(await signIn({ sub: "nobody" })).toMatchObject(refused);
    expect(await signIn(ada)).toMatchObject({
      status: 303,
      location: "/",
      who: { role: "auditor", user: { name: "Ada", email: "ada@clinic.example" } },
    });
    // Another address by now, and the same person.
    expect(await signIn({ ...ada, email: "new@clinic.example" })).toMatchObject({ location: "/", who: { user: { email: "ada@clinic.example" } } });
    // The address alone is nobody.
    expect(await signIn({ ...ada, sub: "ada-2" })).toMatchObject(refused);
    await lent.nexus.members.remove("ada@clinic.example");
    expect(await signIn(ada)).toMatchObject(refused);
    expect(await lent.coordinator.store.db.$count(userAccounts, eq(userAccounts.accountId, "ada-1"))).toBe(0);
  });

  it("takes no account over that has a password; its owner links the identity, soon after signing in", async () => {
    const bea = await becomeMember(own, (await lent.nexus.members.invite({ role: "data-owner" })).localLink, "bea");
    const claims = { sub: "bea-1", email: "bea@clinic.example", email_verified: true };
    await lent.nexus.members.invite({ role: "owner", email: "bea@clinic.example" });
    expect(await signIn(claims)).toMatchObject(refused);
    expect(await comeBack(await atProvider(claims, bea.cookie))).toMatchObject({ location: "/", who: { role: "data-owner" } });
    expect(await signIn(claims)).toMatchObject({ location: "/", who: { role: "data-owner", user: { name: "bea" } } });
    await lent.coordinator.store.db.update(userSessions).set({ createdAt: new Date(Date.now() - 11 * 60_000) });
    expect((await bea.post("/auth/oidc/begin", {}, fromPage())).code).toBe("SESSION_TOO_OLD");
    // What is linked to one person is linked to no other.
    const carl = await becomeMember(own, (await lent.nexus.members.invite({ role: "auditor" })).localLink, "carl");
    expect(await comeBack(await atProvider(claims, carl.cookie))).toMatchObject(refused);
    expect(await lent.coordinator.store.db.$count(users, eq(users.email, "bea@clinic.example"))).toBe(1);
  });

  it("ends a flow once, in the browser that began it, with the state that it began with", async () => {
    await lent.nexus.members.invite({ role: "auditor", email: "dora@clinic.example" });
    const dora = { sub: "dora-1", email: "dora@clinic.example", email_verified: true };
    const mine = await atProvider(dora);
    const theirs = await atProvider(dora);
    // Somebody is led into a flow that another began.
    expect(await comeBack({ ...theirs, flow: "" })).toMatchObject(failed);
    expect(await comeBack({ ...theirs, flow: mine.flow })).toMatchObject(failed);
    // That used the flow up; so does every answer that proves nothing.
    expect(await comeBack(mine)).toMatchObject(failed);
    const wrongState = await atProvider(dora);
    expect(await comeBack({ ...wrongState, callback: wrongState.callback.replace(/state=[^&]+/, "state=other") })).toMatchObject(failed);
    const wrongCode = await atProvider(dora);
    expect(await comeBack({ ...wrongCode, callback: wrongCode.callback.replace(/code=[^&]+/, "code=other") })).toMatchObject(failed);
    const wrongIssuer = await atProvider(dora);
    expect(await comeBack({ ...wrongIssuer, callback: wrongIssuer.callback.replace(/iss=[^&]+/, "iss=https%3A%2F%2Fevil.example") })).toMatchObject(
      failed,
    );
    const denied = await atProvider(dora);
    expect(await comeBack({ ...denied, callback: `${own}${OIDC_CALLBACK}?error=access_denied` })).toMatchObject(failed);
    const good = await atProvider(dora);
    expect(await comeBack(good)).toMatchObject({ location: "/", who: { role: "auditor" } });
    expect(await comeBack(good)).toMatchObject(failed);
  });
});

describe("an OpenID provider that lies", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  function jwt(claims: object, { key = privateKey, alg = "RS256" } = {}): string {
    const text = `${encode({ alg, kid: "1", typ: "JWT" })}.${encode(claims)}`;
    return alg === "none" ? `${text}.` : `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
  }

  /** What comes of an ID token that the provider answers with. */
  async function answerTo(make: (good: Readonly<Record<string, unknown>>) => string): Promise<string> {
    let idToken = "";
    const server = createServer((request, response) => {
      const documents: Readonly<Record<string, object>> = {
        "/.well-known/openid-configuration": {
          ...{ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` },
          ...{ response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] },
        },
        "/jwks": { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }] },
        "/token": { access_token: randomUUID(), token_type: "Bearer", id_token: idToken },
      };
      response.setHeader("content-type", "application/json").end(JSON.stringify(documents[request.url ?? ""] ?? {}));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const oidc = createOidc({ issuer, clientId: "nexus", clientSecretFile: secretFile });
      const { url, flow } = await oidc.begin("http://localhost:1", undefined);
      const asked = new URL(url).searchParams;
      expect(asked.get("code_challenge_method")).toBe("S256");
      const seconds = Math.floor(Date.now() / 1000);
      idToken = make({ iss: issuer, aud: "nexus", sub: "ada", nonce: asked.get("nonce"), iat: seconds, exp: seconds + 60 });
      const { identity } = await oidc.end(flow, `${OIDC_CALLBACK}?code=1&state=${asked.get("state")}`);
      return identity.subject;
    } catch (error) {
      return (error as { readonly code: string }).code;
    } finally {
      await new Promise((closed) => void server.close(closed));
    }
  }

  it("is believed when it does not", async () => expect(await answerTo((good) => jwt(good))).toBe("ada"));

  it.each<[string, (good: Readonly<Record<string, unknown>>) => string]>([
    ["another nonce", (good) => jwt({ ...good, nonce: "other" })],
    ["no nonce", (good) => jwt({ ...good, nonce: undefined })],
    ["another issuer", (good) => jwt({ ...good, iss: "https://evil.example" })],
    ["another audience", (good) => jwt({ ...good, aud: "other" })],
    ["several audiences, none of them the one who asked", (good) => jwt({ ...good, aud: ["nexus", "other"], azp: "other" })],
    ["a token that is over", (good) => jwt({ ...good, exp: 1_000_000_000 })],
    ["no subject", (good) => jwt({ ...good, sub: undefined })],
    ["another's signature", (good) => jwt(good, { key: other })],
    ["no signature", (good) => jwt(good, { alg: "none" })],
    ["an algorithm that it did not announce", (good) => jwt(good, { alg: "RS512" })],
    ["no token", () => ""],
  ])("by %s is not believed", async (_, make) => expect(await answerTo(make)).toBe("OIDC_FAILED"));

  it("is not asked over a network in plain", async () => {
    const oidc = createOidc({ issuer: "http://login.example", clientId: "nexus", clientSecretFile: secretFile });
    await expect(oidc.begin("http://localhost:1", undefined)).rejects.toMatchObject({ code: "OIDC_FAILED" });
  });
});
