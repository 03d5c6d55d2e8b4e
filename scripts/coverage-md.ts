import { type CommandCoverage, listCommands } from "../firmware-sim/mod.ts";

const header = `<!-- Made by \`npm run docs\` from the simulator's command tables. Do not edit. -->

# ESC/POS commands of the simulator

What the [simulator](simulator.md) does with each command. The table is made from the tables that it works with.

- **carried out**: it does what the manual says, as far as the profile of the printer has it. Profiles
  in brackets: the others take its bytes for text.
- **accepted**: it is taken without a complaint; neither paper nor wire could show it.
- *consumed*: it is skipped whole, and a diagnostic says so. The commands after it are not disturbed.

Real-time commands are obeyed when they are received, ahead of everything that waits. Bytes that begin no command of
this table give a diagnostic of the kind \`unknown\`.
`;

const treatments: Readonly<Record<CommandCoverage["treatment"], string>> = {
  "carried-out": "**carried out**",
  accepted: "**accepted**",
  consumed: "*consumed*",
};

/** docs/escpos-coverage.md, whole, from the tables of the simulator. */
export function coverageMarkdown(commands: readonly CommandCoverage[] = listCommands()): string {
  const count = (wanted: CommandCoverage["treatment"]): number =>
    commands.filter(({ treatment }) => treatment === wanted).length;
  return [
    header,
    `${count("carried-out")} are carried out, ${count("accepted")} accepted, ${count("consumed")} consumed, the letters of the last rows counted.`,
    "",
    "| command | bytes | then | |",
    "|---|---|---|---|",
    ...commands.filter((command) => !isSkippedFamily(command)).map(row),
    ...familyRows(commands.filter(isSkippedFamily)),
    "",
  ].join("\n");
}

/** `ESC (`, `FS (` and `GS (` with a letter, skipped by the length they carry: most of these letters mean nothing. */
function isSkippedFamily({ name, treatment }: CommandCoverage): boolean {
  return treatment === "consumed" && /^(ESC|FS|GS) \( .$/.test(name);
}

function familyRows(commands: readonly CommandCoverage[]): string[] {
  const families = [...new Set(commands.map(({ bytes }) => bytes.slice(0, 5)))];
  return families.map((family) => {
    const members = commands.filter(({ bytes }) => bytes.startsWith(family));
    const letters = members.map(({ name }) => name.slice(-1)).join(" ");
    const lead = members[0]?.name.slice(0, -2) ?? "";
    return `| \`${lead}\` and one of \`${letters}\` | \`${family} ...\` | ${members[0]?.parameters} | ${treatments.consumed} |`;
  });
}

function row({ name, bytes, parameters, treatment, realTime, onlyIn }: CommandCoverage): string {
  const shown = name.replaceAll("|", "\\|");
  const models = onlyIn === undefined ? "" : ` (${onlyIn.join(", ")})`;
  return `| \`${shown}\` | \`${bytes}\` | ${realTime ? "real time" : parameters} | ${treatments[treatment]}${models} |`;
}
