import { FAULT_GUIDE, FAULT_KINDS, PROFILES, type Profile } from "../firmware-sim/mod.ts";

const made = "made by `npm run docs`, do not edit";

/** docs/simulator.md with its tables of faults and profiles made anew; what stands around them stays. */
export function simulatorMarkdown(before: string): string {
  return withTable(withTable(before, "faults", faultTable()), "profiles", profileTable());
}

function withTable(text: string, name: string, table: readonly string[]): string {
  const [begin, end] = [`<!-- ${name}: ${made} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/simulator.md has no place for the table of ${name}: ${begin} … ${end}`);
  return `${text.slice(0, from)}${[begin, "", ...table, "", ""].join("\n")}${text.slice(to)}`;
}

function faultTable(): readonly string[] {
  const faults = FAULT_KINDS.filter((kind) => FAULT_GUIDE[kind].remedy !== true);
  return [
    "| fault | what happens | undone by |",
    "|---|---|---|",
    ...faults.map((kind) => {
      const { says, form, undoneBy } = FAULT_GUIDE[kind];
      const names = form === undefined ? `\`${kind}\`` : `\`${kind}\`, \`${form}\``;
      return `| ${names} | ${says} | ${undoneBy ?? ""} |`;
    }),
  ];
}

function profileTable(): readonly string[] {
  return [
    "| profile | paper | buffer | characters of two bytes | answers | has | quirks |",
    "|---|---|---|---|---|---|---|",
    ...PROFILES.map((profile) => {
      const { name, widthDots, dpi, speedMmPerS, bufferBytes, kanji } = profile;
      const paper = `${widthDots} dots, ${dpi} dpi, ${speedMmPerS} mm/s`;
      const cells = [
        `\`${name}\``,
        paper,
        `${bufferBytes} bytes`,
        kanji?.system ?? "none",
        answers(profile),
        parts(profile),
        quirks(profile),
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  ];
}

/** What not every model says. */
function answers({ supports }: Profile): string {
  return named([
    [supports.asb, "automatic status"],
    [supports.processId, "process IDs"],
    [supports.identityText, "identity as text"],
  ]);
}

function parts({ supports }: Profile): string {
  return named([
    [supports.cutter, "cutter"],
    [supports.graphics, "stored graphics"],
    [supports.utf8, "UTF-8"],
    [
      supports.symbols.length > 0,
      supports.symbols.length === 1 ? "QR" : supports.symbols.length > 2 ? "all 2-D codes" : "PDF417 and QR",
    ],
  ]);
}

const quirkNames: Readonly<Record<string, string>> = {
  ignoresEscJ: "`ESC J` does nothing",
  ignoresPartialCutFeed: "`GS V 66` does nothing",
  swallowsLineFeedAfterRaster: "a line feed after `GS v 0` is lost",
  ignoresNegativeEscBackslash: "`ESC \\` goes to the right only",
  ignoresEscDollarInLine: "`ESC $` does nothing within a line",
  resetsBarcodeSettings: "`GS k` with NUL returns `GS h`, `GS w`, `GS H`, `GS f` to their defaults",
  rasterOverrun: "`GS v 0` of some heights takes rows more than it has",
};

function quirks(profile: Profile): string {
  return Object.keys(profile.quirks)
    .map((quirk) => quirkNames[quirk] ?? quirk.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
    .join("; ");
}

function named(parts: readonly (readonly [present: boolean, name: string])[]): string {
  return parts.flatMap(([present, name]) => (present ? [name] : [])).join(", ");
}
