import { expect, it } from "vitest";
import { hashPassword } from "./password.ts";

it("hashes of passwords queue up to a bound, and the queue goes on afterwards", async () => {
  const all = await Promise.allSettled(Array.from({ length: 36 }, () => hashPassword("correct horse battery staple")));
  const refused = all.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(2);
  expect(refused[0]).toMatchObject({ reason: { code: "RATE_LIMITED" } });
  await expect(hashPassword("correct horse battery staple")).resolves.toMatch(/^\$scrypt/);
});
