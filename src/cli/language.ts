import type { Environment } from "../runtime/config.ts";
import type { Config } from "../runtime/config-schema.ts";
import { UsageError } from "./failure.ts";

export type Language = "ja" | "en";

/** What was asked for, else of the configuration, else of the environment (POSIX: LC_ALL, LC_MESSAGES, LANG). */
export function chooseLanguage(flag: string | undefined, config: Config, env: Environment): Language {
  if (flag !== undefined) {
    if (flag === "ja" || flag === "en") return flag;
    throw new UsageError(`--lang ${flag}: expected ja or en`);
  }
  if (config.language !== undefined) return config.language;
  // An empty variable counts as not set (POSIX.1-2017 XBD 8.2).
  const locale = [env["LC_ALL"], env["LC_MESSAGES"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return /^ja(?:[_.@-]|$)/i.test(locale ?? "") ? "ja" : "en";
}
