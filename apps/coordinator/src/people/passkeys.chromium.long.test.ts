import { userPasskeys, users, userSessions } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { becomeMember, secretOf, TEST_PASSWORD, testBrowser } from "./browser.fixture.ts";
import { HAS_CHROMIUM, launchChromium } from "./chromium.fixture.ts";

describe.skipIf(!HAS_CHROMIUM)("passkeys", () => {
  let lent: TestCoordinator;
  let browser: Browser;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    lent = stack.use(await testCoordinator({ wrongSecretsPerMinute: 1_000_000 }));
    browser = stack.use(await launchChromium());
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  const own = () => `http://localhost:${lent.coordinator.port}`;
  const fromPage = () => ({ origin: own(), host: `localhost:${lent.coordinator.port}` });

  /** A page with an authenticator of its own, which says yes for its person at once. */
  async function openPage(): Promise<{ readonly page: Page; readonly cdp: CDPSession; readonly authenticatorId: string }> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        ...{ protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    return { page, cdp, authenticatorId };
  }

  /** A member with a passkey. */
  async function withPasskey(name: string) {
    const opened = await openPage();
    const { localLink } = await lent.nexus.members.invite({ role: "auditor" });
    const { page } = opened;
    await page.goto(localLink);
    const form = page.getByRole("region", { name: "Welcome" });
    await form.getByLabel("Your name").fill(name);
    await form.getByLabel("E-mail address").fill(`${name}@clinic.example`);
    await form.getByLabel("Password").fill(TEST_PASSWORD);
    await form.getByRole("button").click();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("status").getByText("The passkey was added").waitFor();
    await page.getByText("Passkey for localhost").waitFor();
    return opened;
  }

  const ASK = (path: string, message = "{}"): string =>
    `fetch("/auth/${path}", { method: "POST", headers: { "content-type": "application/json" }, body: ${JSON.stringify(message)} }).then((answer) => answer.json())`;
  /** What the page's authenticator answers to a challenge for signing in, which is sent nowhere. */
  const assertion = (page: Page): Promise<{ id: string; response: { clientDataJSON: string; signature: string; authenticatorData: string } }> =>
    page.evaluate(
      `${ASK("passkey/options")}.then((options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).then((key) => key.toJSON())`,
    );
  /** Sends an answer of an authenticator from outside the browser. */
  const send = async (response: unknown, headers = fromPage()): Promise<string> =>
    (await testBrowser(own()).post("/auth/passkey/sign-in", { response }, headers)).code;

  it("are added by who has just signed in, open a session, and are taken away", async () => {
    const { page } = await withPasskey("ada");
    const [row] = await lent.coordinator.store.db.select().from(userPasskeys);
    expect(row).toMatchObject({ rpId: "localhost", lastUsedAt: null });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "ada" }).waitFor();
    await page
      .getByText(/Passkey for localhost/)
      .getByText(/last used/)
      .waitFor();
    await page.getByRole("button", { name: "Remove this passkey" }).click();
    await page.getByText("None yet").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").getByText("not the right password or passkey").waitFor();
  });

  it("prove themselves once for each challenge, here alone, bit by bit", async () => {
    const { page } = await withPasskey("bea");
    const answer = await assertion(page);
    const clientData = JSON.parse(Buffer.from(answer.response.clientDataJSON, "base64url").toString()) as Record<string, unknown>;
    const altered = (change: object) => ({
      ...answer,
      response: { ...answer.response, clientDataJSON: Buffer.from(JSON.stringify({ ...clientData, ...change })).toString("base64url") },
    });
    const flip = (text: string) => `${text.startsWith("A") ? "B" : "A"}${text.slice(1)}`;
    const hostile = [
      altered({ challenge: "A".repeat(43) }),
      altered({ origin: "http://localhost:1" }),
      altered({ origin: "https://evil.example" }),
      altered({ type: "webauthn.create" }),
      { ...answer, id: "AAAA", rawId: "AAAA" },
      { ...answer, response: {} },
      { ...answer, response: { ...answer.response, clientDataJSON: "%" } },
    ];
    for (const response of hostile) expect(await send(response)).toBe("SIGN_IN_FAILED");
    // Each of these uses a challenge up.
    const forged = await assertion(page);
    expect(await send({ ...forged, response: { ...forged.response, authenticatorData: flip(forged.response.authenticatorData) } })).toBe(
      "SIGN_IN_FAILED",
    );
    expect(await send(forged)).toBe("SIGN_IN_FAILED");
    const unsigned = await assertion(page);
    expect(await send({ ...unsigned, response: { ...unsigned.response, signature: unsigned.response.signature.slice(0, -8) } })).toBe(
      "SIGN_IN_FAILED",
    );

    const good = await assertion(page);
    expect(await send(good)).toBe("ok");
    expect(await send(good)).toBe("SIGN_IN_FAILED");
    const elsewhere = await assertion(page);
    const address = { origin: `http://127.0.0.1:${lent.coordinator.port}`, host: `127.0.0.1:${lent.coordinator.port}` };
    expect((await testBrowser(address.origin).post("/auth/passkey/sign-in", { response: elsewhere }, address)).code).toBe("PASSKEY_REFUSED");
  });

  it("that were copied are noticed: whoever counts less than before is turned away", async () => {
    const { page } = await withPasskey("carl");
    const { db } = lent.coordinator.store;
    const mine = eq(userPasskeys.userId, (await db.select().from(users).where(eq(users.name, "carl")))[0]!.id);
    expect(await send(await assertion(page))).toBe("ok");
    await db.update(userPasskeys).set({ counter: 1_000 }).where(mine);
    expect(await send(await assertion(page))).toBe("SIGN_IN_FAILED");
  });

  it("are no way in for who is a member no more, and none for who has been signed in for long", async () => {
    const { page } = await withPasskey("dora");
    const answer = await assertion(page);
    await lent.nexus.members.remove("dora@clinic.example");
    expect(await send(answer)).toBe("SIGN_IN_FAILED");

    const emil = await becomeMember(own(), (await lent.nexus.members.invite({ role: "auditor" })).localLink, "emil");
    expect((await emil.post("/auth/passkeys/options", {}, fromPage())).code).toBe("ok");
    await lent.coordinator.store.db.update(userSessions).set({ createdAt: new Date(Date.now() - 11 * 60_000) });
    expect((await emil.post("/auth/passkeys/options", {}, fromPage())).code).toBe("SESSION_TOO_OLD");
    expect((await testBrowser(own()).post("/auth/passkeys/options", {}, fromPage())).code).toBe("UNAUTHENTICATED");
  });

  it("are added to nobody else: a challenge is for the person who asked", async () => {
    const { page } = await openPage();
    const { localLink } = await lent.nexus.members.invite({ role: "auditor" });
    await page.goto(`${own()}/`);
    await page.evaluate(
      ASK("claim", JSON.stringify({ secret: secretOf(localLink), name: "finn", email: "finn@clinic.example", password: TEST_PASSWORD })),
    );
    const made: unknown = await page.evaluate(
      `${ASK("passkeys/options")}.then((options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).then((key) => key.toJSON())`,
    );
    const greta = await becomeMember(own(), (await lent.nexus.members.invite({ role: "auditor" })).localLink, "greta");
    expect((await greta.post("/auth/passkeys/add", { response: made }, fromPage())).code).toBe("PASSKEY_REFUSED");
    expect((await greta.get("/auth/passkeys")).body).toEqual({ passkeys: [] });
    expect((await greta.post("/auth/passkeys/remove", { id: "AAAA" }, fromPage())).code).toBe("PASSKEY_REFUSED");
  });
});
