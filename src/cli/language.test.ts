import { describe, expect, it } from "vitest";
import { loadConfig } from "../runtime/config.ts";
import { chooseLanguage } from "./language.ts";

describe("language of the print", () => {
  it.each([
    [{}, "en"],
    [{ LANG: "ja_JP.UTF-8" }, "ja"],
    [{ LANG: "ja" }, "ja"],
    [{ LANG: "jam_JM" }, "en"],
    [{ LANG: "ja_JP.UTF-8", LC_ALL: "C" }, "en"],
    [{ LANG: "de_DE", LC_ALL: "", LC_MESSAGES: "ja_JP" }, "ja"],
    [{ LANG: "ja_JP.UTF-8", TWINSPOOL_LANGUAGE: "en" }, "en"],
  ])("of %j is %s", async (env, language) => {
    expect(chooseLanguage(undefined, await loadConfig({ env }), env)).toBe(language);
  });

  it("is what the flag says, if there is such a language", async () => {
    const config = await loadConfig({ env: { TWINSPOOL_LANGUAGE: "ja" } });
    expect(chooseLanguage("en", config, {})).toBe("en");
    expect(() => chooseLanguage("fr", config, {})).toThrow("--lang fr: expected ja or en");
  });
});
