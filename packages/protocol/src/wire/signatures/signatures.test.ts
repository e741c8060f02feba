import { createHash } from "node:crypto";
import { generateSigningKey, importSigningKey, sign, verify } from "@ciphernx/crypto/keys";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentDigest } from "./content-digest.ts";
import { AHEAD_SECONDS, createReplayWindow, MAX_NONCES, PAST_SECONDS } from "./replay-window.ts";
import { readSignature, SIGNED_FIELDS } from "./request-signature.ts";
import { requestSigner } from "./request-signer.ts";
import { componentList, signatureBase, type SignedHead } from "./signature-base.ts";

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

/** RFC 9421 Appendix B.1.4 (test-key-ed25519), B.2 (test-request), B.2.6. */
const RFC_9421 = {
  seed: fromBase64("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU="),
  publicKey: fromBase64("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="),
  head: {
    method: "POST",
    authority: "example.com",
    path: "/foo?param=Value&Pet=dog",
    headers: { date: "Tue, 20 Apr 2021 02:07:55 GMT", "content-type": "application/json", "content-length": "18" },
  },
  components: ["date", "@method", "@path", "@authority", "content-type", "content-length"],
  parameters: '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  base: [
    '"date": Tue, 20 Apr 2021 02:07:55 GMT',
    '"@method": POST',
    '"@path": /foo',
    '"@authority": example.com',
    '"content-type": application/json',
    '"content-length": 18',
    '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  ].join("\n"),
  signature: fromBase64("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="),
};

describe("RFC 9421", () => {
  it("B.2.6: the signature base and the Ed25519 signature of the test request", async () => {
    const { head, components, parameters, base, seed, publicKey, signature } = RFC_9421;
    expect(parameters.startsWith(`${componentList(components)};`)).toBe(true);
    const bytes = signatureBase(head, components, parameters);
    expect(new TextDecoder().decode(bytes)).toBe(base);
    const key = await importSigningKey(seed);
    expect(key.publicKey).toEqual(publicKey);
    expect(await sign(key, bytes)).toEqual(signature);
    expect(await verify(publicKey, bytes, signature)).toBe(true);
  });

  it("§2.2: derived components of requests", () => {
    const only = (name: string, path: string) =>
      new TextDecoder()
        .decode(signatureBase({ ...RFC_9421.head, path }, [name], "()"))
        .split("\n")[0]!
        .slice(name.length + 4);
    expect(only("@path", "/path?param=value")).toBe("/path");
    // §2.2.7
    expect(only("@query", "/path?param=value&foo=bar&baz=bat%2Dman")).toBe("?param=value&foo=bar&baz=bat%2Dman");
    expect(only("@query", "/path?queryString")).toBe("?queryString");
    expect(only("@query", "/path?")).toBe("?");
    expect(only("@query", "/path")).toBe("?");
    expect(() => only("x-missing", "/")).toThrow(/does not have/);
  });
});

describe("RFC 9530", () => {
  it("Appendix B: SHA-256 of the example content", async () => {
    // B.1 and, without the line feed, RFC 9421 B.2.
    expect(await contentDigest(new TextEncoder().encode('{"hello": "world"}\n'))).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    expect(await contentDigest(new TextEncoder().encode('{"hello": "world"}'))).toBe("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
  });

  it("is the same of bytes, of shared memory, and of a hash that is known", async () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(300)).fill(7).subarray(100, 200);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(await contentDigest(bytes)).toBe(await contentDigest({ sha256 }));
    expect(await contentDigest(bytes)).toBe(await contentDigest(Uint8Array.from(bytes)));
  });
});

const HEAD: SignedHead = {
  method: "PUT",
  authority: "hospital.example:7701",
  path: `/blobs/${"0".repeat(64)}?task=task_1`,
  headers: {
    "content-type": "application/octet-stream",
    authorization: "Bearer abc",
    "upload-offset": "10",
    "upload-length": "13",
    "upload-complete": "?1",
    "user-agent": "anything",
  },
};
const BODY = Uint8Array.of(1, 2, 3);

async function signed(head: SignedHead = HEAD, content: Uint8Array | undefined = BODY) {
  const key = await generateSigningKey();
  const fields = await requestSigner({ nodeId: "node_1", key, now: () => 1_700_000_000_999 }).sign(head, content);
  return { key, sent: { ...head, headers: { ...head.headers, ...fields } } };
}

describe("a node's signature", () => {
  it("is read by the other side as it was made", async () => {
    const { key, sent } = await signed();
    const shown = readSignature(sent);
    expect(shown).toMatchObject({ nodeId: "node_1", createdUnixSeconds: 1_700_000_000 });
    expect(await verify(key.publicKey, shown.base, shown.signature)).toBe(true);
    const get = await signed({ ...HEAD, method: "GET", headers: { range: "bytes=5-" } }, undefined);
    const read = readSignature(get.sent);
    expect(await verify(get.key.publicKey, read.base, read.signature)).toBe(true);
  });

  it("is another one each time", async () => {
    const signer = requestSigner({ nodeId: "node_1", key: await generateSigningKey() });
    const nonces = new Set<string>();
    for (let i = 0; i < 50; i += 1) nonces.add(readSignature({ ...HEAD, headers: { ...HEAD.headers, ...(await signer.sign(HEAD, BODY)) } }).nonce);
    expect(nonces.size).toBe(50);
  });

  it("does not stand for a request of which anything that matters was changed, added or taken away", async () => {
    const { key, sent } = await signed();
    const stands = async (request: SignedHead): Promise<boolean> => {
      try {
        const { base, signature } = readSignature(request);
        return await verify(key.publicKey, base, signature);
      } catch (error) {
        expect(error).toMatchObject({ code: "SIGNATURE_INVALID" });
        return false;
      }
    };
    expect(await stands(sent)).toBe(true);
    expect(await stands({ ...sent, headers: { ...sent.headers, "user-agent": "another" } })).toBe(true);
    expect(await stands({ ...sent, method: "POST" })).toBe(false);
    expect(await stands({ ...sent, authority: "hospital.example" })).toBe(false);
    expect(await stands({ ...sent, path: sent.path.replace("task_1", "task_2") })).toBe(false);
    expect(await stands({ ...sent, path: sent.path.replace("?", "/?") })).toBe(false);
    const without = (name: string) => Object.fromEntries(Object.entries(sent.headers).filter(([field]) => field !== name));
    for (const name of [...SIGNED_FIELDS, "signature", "signature-input"]) {
      const value = sent.headers[name as keyof typeof sent.headers];
      expect([name, await stands({ ...sent, headers: { ...without(name), [name]: `${value ?? ""}1` } })]).toEqual([name, false]);
      if (value !== undefined) expect([name, await stands({ ...sent, headers: without(name) })]).toEqual([name, false]);
    }
  });

  it("is refused in every other form that RFC 9421 allows", async () => {
    const { sent } = await signed();
    const input = sent.headers["signature-input" as keyof typeof sent.headers] as unknown as string;
    const forms = [
      input.replace("node=", "sig1="),
      `${input}, other=("@method");created=1`,
      input.replace(/;tag=.*$/, ""),
      input.replace("ciphernx.node.v1", "another"),
      input.replace(/;nonce="[^"]*"/, ""),
      input.replace(/;created=\d+/, ""),
      input.replace(/;created=\d+/, ";created=-1"),
      `${input};alg="none"`,
      `${input};expires=9999999999`,
      input.replace('"@method"', '"@method";req'),
      input.replace('"@method" ', ""),
      input.replace(/\(.*\)/, "()"),
      "",
    ];
    for (const form of forms)
      expect(() => readSignature({ ...sent, headers: { ...sent.headers, "signature-input": form } })).toThrow(/form|signed over/);
    for (const digest of ["sha-512=:AA==:", "sha-256=:AAAA:", `sha-256=:${"A".repeat(43)}=:, sha-512=:AA==:`]) {
      const again = await signed(HEAD, BODY);
      expect(() => readSignature({ ...again.sent, headers: { ...again.sent.headers, "content-digest": digest } })).toThrow(/Content-Digest/);
    }
  });

  it("whatever is shown as one: it is read, or refused by name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.string({ maxLength: 120 }), (input, signature) => {
        try {
          readSignature({ ...HEAD, headers: { ...HEAD.headers, "signature-input": input, signature } });
        } catch (error) {
          expect(error).toMatchObject({ code: "SIGNATURE_INVALID" });
        }
      }),
    );
  });
});

describe("the window", () => {
  const START = 1_700_000_000;
  const clocked = () => {
    let seconds = START;
    return { window: createReplayWindow(() => seconds * 1000), later: (by: number) => (seconds += by) };
  };
  const use = (at: number, nonce: string, nodeId = "node_1") => ({ nodeId, nonce, createdUnixSeconds: at });

  it("takes what was signed a minute ago, and tells by how much a clock is off", () => {
    const { window } = clocked();
    window.use(use(START - PAST_SECONDS, "a"));
    window.use(use(START + AHEAD_SECONDS, "b"));
    expect(() => window.use(use(START - PAST_SECONDS - 1, "c"))).toThrow(
      expect.objectContaining({ code: "CLOCK_DIFFERS", message: expect.stringContaining("61 s behind") }),
    );
    expect(() => window.use(use(START + 3_600, "d"))).toThrow(
      expect.objectContaining({ code: "CLOCK_DIFFERS", details: { node: "node_1", aheadSeconds: 3_600 } }),
    );
  });

  it("takes a nonce once a node, as long as its signature would count", () => {
    fc.assert(
      fc.property(fc.integer({ min: -PAST_SECONDS, max: AHEAD_SECONDS }), fc.double({ min: 0, max: 200, noNaN: true }), (offset, wait) => {
        const { window, later } = clocked();
        const signature = use(START + offset, "a");
        window.use(signature);
        window.use({ ...signature, nodeId: "node_2" });
        later(wait);
        window.use(use(START + Math.ceil(wait), "b"));
        expect(() => window.use(signature)).toThrow(/second time|behind/);
      }),
    );
  });

  it("remembers no more than the window, and so much of a node", () => {
    const { window, later } = clocked();
    for (let i = 0; i < MAX_NONCES; i += 1) window.use(use(START, `n${i}`));
    expect(() => window.use(use(START, "more"))).toThrow(expect.objectContaining({ code: "SIGNED_TOO_OFTEN" }));
    // Another node is not held up by it.
    window.use(use(START, "n0", "node_2"));
    expect(window.size).toBe(MAX_NONCES + 1);
    later(PAST_SECONDS + 2);
    window.use(use(START + PAST_SECONDS + 2, "n0"));
    expect(window.size).toBe(1);
  });
});
