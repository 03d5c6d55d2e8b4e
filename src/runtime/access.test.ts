import { expect, test } from "vitest";
import { type AccessRules, accessCheck } from "./access.ts";

const key = "correct-horse-battery";
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

test.each<[string, AccessRules, Record<string, string>, number | undefined]>([
  ["a program on this machine", {}, { host: "127.0.0.1:6310" }, undefined],
  ["localhost", {}, { host: "LOCALHOST:6310" }, undefined],
  ["IPv6 loopback", {}, { host: "[::1]:6310" }, undefined],
  ["no Host (HTTP/1.0)", {}, {}, undefined],
  ["a rebound name", {}, { host: "evil.example:6310" }, 403],
  ["a name that begins like loopback", {}, { host: "127.0.0.1.evil.example" }, 403],
  ["a proxy's name that was configured", { hostNames: ["Print.Example"] }, { host: "print.example" }, undefined],
  ["a Host with a user in it", {}, { host: "a@127.0.0.1" }, 400],
  ["the own page", {}, { host: "localhost:6310", origin: "http://localhost:6310" }, undefined],
  ["the own page, default port", {}, { host: "localhost:80", origin: "http://localhost" }, undefined],
  ["another site", {}, { host: "localhost:6310", origin: "http://evil.example" }, 403],
  ["another port of this machine", {}, { host: "localhost:6310", origin: "http://localhost:8080" }, 403],
  ["a sandboxed page", {}, { host: "localhost:6310", origin: "null" }, 403],
  ["a page without Host", {}, { origin: "http://localhost:6310" }, 403],
  ["any name, with the key", { key }, { host: "box.local", authorization: `Bearer ${key}` }, undefined],
  ["the scheme in other case", { key }, { host: "box.local", authorization: `bearer ${key}` }, undefined],
  ["a browser's password", { key }, { host: "box.local", authorization: basic(`anyone:${key}`) }, undefined],
  ["a wrong password", { key }, { host: "box.local", authorization: basic(`${key}:wrong`) }, 401],
  ["a wrong key", { key }, { host: "box.local", authorization: `Bearer ${key}x` }, 401],
  ["an empty key", { key }, { host: "box.local", authorization: "Bearer " }, 401],
  ["another scheme", { key }, { host: "box.local", authorization: `Digest ${key}` }, 401],
  ["no key", { key }, { host: "box.local" }, 401],
  [
    "another site, with the key",
    { key },
    { host: "box.local", origin: "http://evil.example", authorization: `Bearer ${key}` },
    403,
  ],
])("%s", (_name, rules, headers, status) => {
  expect(accessCheck(rules)(headers)?.status).toBe(status);
});
