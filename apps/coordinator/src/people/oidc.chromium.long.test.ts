import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { expect, it } from "vitest";
import { testCoordinator } from "../test-coordinator.fixture.ts";
import { HAS_CHROMIUM, launchChromium } from "./chromium.fixture.ts";
import { OIDC_CALLBACK } from "./oidc.ts";
import { freePort, startOidcProvider } from "./oidc-provider.fixture.ts";

const SECRET = "a secret of the client, long enough for the provider";

// The provider is at 127.0.0.1 and the page at localhost: two sites, as with a real one, so that the cookies are put to the test.
it.skipIf(!HAS_CHROMIUM)(
  "a browser that comes back from the OpenID provider is signed in, and told when it is not",
  async () => {
    await using folder = await temporaryFolder();
    const clientSecretFile = join(folder.path, "client-secret");
    await writeFile(clientSecretFile, SECRET);
    const port = await freePort();
    const own = `http://localhost:${port}`;
    await using provider = await startOidcProvider(`${own}${OIDC_CALLBACK}`, SECRET);
    await using lent = await testCoordinator({ port, oidc: { issuer: provider.issuer, clientId: "nexus", clientSecretFile } });
    await using browser = await launchChromium();
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    await provider.setNext({ sub: "ada-1", email: "ada@clinic.example", email_verified: true, name: "Ada" });

    await page.goto(own);
    await page.getByRole("button", { name: "Sign in with your organisation" }).click();
    await page.getByRole("alert").getByText("Nobody is a member, or invited").waitFor();
    expect(page.url()).toBe(`${own}/`);
    await lent.nexus.members.invite({ role: "auditor", email: "ada@clinic.example" });
    await page.getByRole("button", { name: "Sign in with your organisation" }).click();
    await page.getByRole("heading", { name: "Ada" }).waitFor();
    await page.reload();
    await page.getByText("This browser").waitFor();
    expect(page.url()).toBe(`${own}/`);
  },
  60_000,
);
