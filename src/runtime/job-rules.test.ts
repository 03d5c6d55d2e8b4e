import { describe, expect, it } from "vitest";
import { ruleConfigSchema } from "./config-schema.ts";
import { chooseSettings, findRule } from "./job-rules.ts";

const rulesOf = (...rules: readonly object[]) => rules.map((rule) => ruleConfigSchema.parse(rule));
const subject = { title: "order 7", clientName: "till-2", printer: "kitchen" };

describe("the first rule that fits", () => {
  it.each([
    [{ title: "order*" }, {}, true],
    [{ title: "invoice*" }, {}, false],
    [{ client: "till-*", printer: "kitchen" }, {}, true],
    [{ client: "till-*", printer: "bar" }, {}, false],
    [{ mediaType: "image/*" }, { mediaType: "image/png" }, true],
    [{ mediaType: "image/*" }, {}, false],
    [{ minBytes: 100 }, { sizeBytes: 100 }, true],
    [{ minBytes: 100 }, { sizeBytes: 99 }, false],
    [{ minBytes: 0 }, {}, false],
    [{ maxBytes: 100 }, { sizeBytes: 100 }, true],
    [{ maxBytes: 100 }, { sizeBytes: 101 }, false],
    [{}, {}, true],
  ])("%j for %j: %s", (when, more, met) => {
    expect(findRule(rulesOf({ when, from: "server" }), { ...subject, ...more }) !== undefined).toBe(met);
  });

  it("is named by its place and what it asks", () => {
    const rules = rulesOf({ when: { title: "menu" } }, { when: { client: "till-*" } }, {});
    expect(findRule(rules, subject)?.name).toBe("rule 2 (client till-*)");
    expect(findRule(rules, { ...subject, clientName: "bar" })?.name).toBe("rule 3 (every job)");
  });
});

describe("person, rule, client, printer, built in: who chooses", () => {
  const met = (rule: object) => findRule(rulesOf(rule), subject);
  const name = "rule 1 (every job)";
  it.each([
    [{}, undefined, {}, {}, { source: "client", spools: "both" }],
    [
      {},
      undefined,
      {},
      { from: "auto" },
      { source: "auto", spools: "both", chosenBy: "from auto: the printer's default" },
    ],
    [
      {},
      undefined,
      { from: "server" },
      { from: "auto" },
      { source: "server", spools: "both", chosenBy: "from server: this client's configuration" },
    ],
    [
      {},
      { from: "auto", priority: 9 },
      { from: "server" },
      {},
      { source: "auto", priority: 9, chosenBy: `from auto, priority 9: ${name}` },
    ],
    [{ source: "client" }, { from: "auto" }, { from: "server" }, {}, { source: "client", spools: "both" }],
    [{}, { expires: "2h" }, {}, {}, { expiresMs: 7_200_000, chosenBy: `expires 2h: ${name}` }],
    [{ expiresMs: 5, priority: 3 }, { expires: "2h", priority: 9 }, {}, {}, { expiresMs: 5, priority: 3 }],
    // Who names the spools has said by that where the image can come from.
    [{ spools: "server" }, undefined, { from: "client" }, {}, { source: "server", spools: "server" }],
    [
      {},
      { spool: "client" },
      { from: "server" },
      {},
      { source: "client", chosenBy: `from client, spool client: ${name}` },
    ],
    [{ spools: "server" }, undefined, { from: "auto" }, {}, { source: "auto", spools: "server" }],
  ] as const)("asked %j, rule %j, configuration %j, printer %j", (asked, rule, config, defaults, choice) => {
    const found = chooseSettings(asked, rule && met(rule), { from: undefined, spool: undefined, ...config }, defaults);
    expect(found).toMatchObject(choice);
    expect(found.chosenBy).toBe("chosenBy" in choice ? choice.chosenBy : found.chosenBy);
  });

  it.each([
    [{ source: "server" }, { spool: "client" }, {}, /from is server, but spool is client \(rule 1/],
    [
      { source: "client" },
      undefined,
      { spool: "server" },
      /spool is server \(this client's configuration\); --from server, or --spool both, works/,
    ],
    [{}, { from: "server" }, { spool: "client" }, /from is server \(rule 1 \(every job\)\), but spool is client/],
  ] as const)("asked %j, rule %j, configuration %j is refused with what works", (asked, rule, config, message) => {
    const choose = () => chooseSettings(asked, rule && met(rule), { from: undefined, spool: undefined, ...config }, {});
    expect(choose).toThrow(message);
  });
});
