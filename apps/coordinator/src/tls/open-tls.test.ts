import { X509Certificate } from "node:crypto";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import type { TlsServerCredentials } from "@ciphernx/protocol/wire/server";
import { pino } from "pino";
import { expect, it } from "vitest";
import { openTls, serverNames } from "./open-tls.ts";

const DAY_MS = 24 * 3_600_000;

it("the server's certificate is made anew after two thirds of its life, for the same names", async () => {
  await using home = await temporaryFolder();
  const listen = { host: "0.0.0.0", port: 0 };
  const opened = await openTls(home.path, { listen, publicNames: ["hospital.example", "10.0.0.7"] }, pino({ level: "silent" }));
  expect(opened.publicName).toBe("hospital.example");
  const shown: TlsServerCredentials[] = [];
  const listener = { setCredentials: (next: TlsServerCredentials) => shown.push(next) };
  expect(await opened.renew(listener, new Date(Date.now() + 19 * DAY_MS))).toBe(false);
  expect(await opened.renew(listener, new Date(Date.now() + 20 * DAY_MS))).toBe(true);
  expect(await opened.renew(listener, new Date(Date.now() + 21 * DAY_MS))).toBe(false);
  expect(shown).toHaveLength(1);
  const [before, after] = [new X509Certificate(opened.credentials.cert), new X509Certificate(shown[0]!.cert)];
  expect(after.subjectAltName).toBe(before.subjectAltName);
  expect(after.subjectAltName).toBe("DNS:hospital.example, IP Address:10.0.0.7, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(after.fingerprint256).not.toBe(before.fingerprint256);
});

it("a server is named by what it listens on where no name is given, and by nothing that is no name", () => {
  expect(serverNames({ listen: { host: "10.0.0.7", port: 1 } })).toEqual(["10.0.0.7", "localhost", "127.0.0.1", "::1"]);
  expect(serverNames({ listen: { host: "::", port: 1 } })).toEqual(expect.arrayContaining(["localhost", "127.0.0.1", "::1"]));
  expect(serverNames({ listen: { host: "0.0.0.0", port: 1 } })).not.toContain("0.0.0.0");
  for (const name of ["", "https://a.example", "a.example:7701", "a b", "*.example", "-a.example", "a..example"]) {
    expect(() => serverNames({ listen: { host: "0.0.0.0", port: 1 }, publicNames: [name] })).toThrow(
      expect.objectContaining({ code: "USAGE" }) as Error,
    );
  }
});
