import { Command, CommanderError, Option } from "commander";
import { reportFailure } from "./failure.ts";
import { type ExitCode, exitCodes, type Io } from "./io.ts";

/** What a verb's code gets: its arguments, its flags, the streams. Loaded only when the verb is the one. */
type Runner = (args: readonly string[], flags: Record<string, never>, io: Io) => Promise<ExitCode>;

/** Runs the command line. Returns the exit code: 0 done, 1 failed, 2 usage, 3 held or indeterminate. */
export async function runProgram(argv: readonly string[], io: Io, version: string): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = buildProgram(io, version, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return reportFailure(io, error, isDebug(io));
  }
}

/** The level of the environment: the file may be what could not be read. */
export function isDebug(io: Io): boolean {
  return io.env["TWINSPOOL_LOG_LEVEL"] === "debug" || io.env["TWINSPOOL_LOG_LEVEL"] === "trace";
}

function buildProgram(io: Io, version: string, onEnd: (code: ExitCode) => void): Command {
  const program = new Command("twinspool")
    .description("Prints receipts, kitchen tickets and labels from two spools: no job lost, none printed twice.")
    .version(version, "-V, --version")
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "twinspool: ")),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      "after",
      examples([
        ["twinspool box --printer kitchen=socket://192.168.0.9:9100", "server and printer host on this machine"],
        ["twinspool client --server http://192.168.0.5:6310", "the first spool, on a cash register"],
        ["twinspool print receipt.png --printer kitchen", "print a document"],
        ["twinspool sim --paper paper/", "a printer that needs no hardware"],
      ]) + exitCodeHelp,
    );
  const add = (command: Command, run: Runner): void => {
    program.addCommand(
      // addCommand does not hand the settings down as .command() does.
      command.copyInheritedSettings(program).action(async (...given) => {
        const args = (given.slice(0, -2) as (string | string[])[]).flat();
        onEnd(await run(args, given.at(-2) as Record<string, never>, io));
      }),
    );
  };
  addRoles(add);
  addPrint(add);
  addJobVerbs(add);
  addMove(add);
  addPrinterVerbs(add);
  addReadingVerbs(add);
  addSim(add);
  addRender(add);
  return program;
}

type Add = (command: Command, run: Runner) => void;

const exitCodeHelp = "\nExit codes: 0 done, 1 failed, 2 usage, 3 held or indeterminate.\n";

function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}\n`).join("")}`;
}

function withCommon(command: Command, jsonHelp = "answer in JSON"): Command {
  return command
    .option("--config <FILE>", "configuration file (TOML or JSON)")
    .option("--data <DIR>", "folder of spool, database and ledger")
    .option("--server <URL>", "where the server is")
    .option("--key <SECRET>", "shared key; better in the file or in TWINSPOOL_KEY, where others do not see it")
    .option("--json", jsonHelp);
}

/** Which rows of the history. */
function withFilter(command: Command): Command {
  const when = "2026-11-23, 2026-11-23T14:00, today, yesterday, 2h or 7d ago";
  return command
    .option("--since <TIME>", `only what was recorded from then on: ${when}`)
    .option("--until <TIME>", "only what was recorded before; a day is meant whole")
    .option("--printer <NAME>", "only those of this printer")
    .option("--client <NAME>", "only those of this client")
    .option("--source <SPOOL>", "only those that were to come from it: client, server, or auto")
    .option("--sent-by <SPOOL>", "only those that it did send: client or server")
    .option("--outcome <OUTCOME>", "only printed, indeterminate, or canceled ones")
    .option("--text <TEXT>", "only those with it in their title")
    .option("--job <ID>", "only those whose job id begins so");
}

function withRole(command: Command): Command {
  return withCommon(command, "the ready line as JSON")
    .option("--name <NAME>", "display name of this process")
    .option("--port <PORT>", "port to listen on, 0 for any free one");
}

function withListen(command: Command): Command {
  return withRole(command).option("--address <ADDRESS>", "address to listen on; beyond this machine needs a key");
}

function withPrinters(command: Command): Command {
  return command
    .addOption(
      new Option("--printer <NAME=URI>", "a printer of this host, may be repeated; instead of those of the file")
        .argParser((value: string, before: readonly string[] = []) => [...before, value])
        .default([], "those of the configuration"),
    )
    .option("--model <MODEL>", "model of the printers named by --printer");
}

function addRoles(add: Add): void {
  add(
    withPrinters(withListen(new Command("box")))
      .description("run server and printer hosts in one process: the print box")
      .addHelpText(
        "after",
        examples([
          ["twinspool box --printer kitchen=socket://192.168.0.9:9100", "one network printer"],
          ["twinspool box --printer till=sim:", "a simulated printer inside"],
          ["TWINSPOOL_KEY=… twinspool box --address 0.0.0.0", "for clients of the LAN"],
        ]),
      ),
    async (_, flags, io) => (await import("./box.ts")).runBox(flags, io),
  );
  add(
    withListen(new Command("server"))
      .description("run the server alone: second spool, queue and history")
      .addHelpText("after", examples([["twinspool server --port 6310", "printer hosts come from elsewhere"]])),
    async (_, flags, io) => (await import("./server.ts")).runServer(flags, io),
  );
  add(
    withPrinters(withListen(new Command("host")))
      .description("run the printer hosts of this machine for a server elsewhere")
      .addHelpText(
        "after",
        examples([
          ["twinspool host --server http://192.168.0.5:6310 --printer bar=socket://192.168.0.9:9100", "one printer"],
        ]),
      ),
    async (_, flags, io) => (await import("./host.ts")).runHost(flags, io),
  );
  add(
    withRole(new Command("client"))
      .description("run the client process of this machine: the first spool")
      .addHelpText(
        "after",
        examples([["twinspool client --server http://192.168.0.5:6310", "every twinspool print goes through it"]]),
      ),
    async (_, flags, io) => (await import("./client.ts")).runClient(flags, io),
  );
}

function addPrint(add: Add): void {
  add(
    withCommon(
      new Command("print").argument("<files...>", "documents, - for the standard input"),
      "events as JSON lines",
    )
      .description("print documents: PNG, JPEG, UTF-8 text, PWG Raster, raw ESC/POS bytes as the dots they draw")
      .option("--printer <NAME>", "printer; needed when there are several")
      .option("--from <SPOOL>", "spool the image goes to the printer from: client, server, or auto")
      .option("--spool <SPOOLS>", "spools that keep the image: both, client, or server")
      .option("--title <TITLE>", "title in the lists; default: the name of the file")
      .option("--copies <N>", "how often each document is printed", "1")
      .option("--priority <N>", "1 to 100, 100 goes first; default 50")
      .option("--escpos", "raw ESC/POS bytes, whatever they begin with")
      .option("--hold", "keep it in the queue until twinspool release JOB")
      .option("--at <WHEN>", "not before: 15m, 2h, or a time of day such as 18:00")
      .option("--expires <DURATION>", "cancel it when it has not begun by then: 30m, 4h, 1d")
      .option("--wait", "wait until the jobs have ended, not only until they are accepted")
      .addHelpText(
        "after",
        `
With a client process on this machine the documents are handed to it. Without one, this command is the client until
its jobs have ended; Ctrl-C leaves what was accepted to the server.
${examples([
  ["twinspool print receipt.png", "to the only printer"],
  ["twinspool print menu.txt --printer kitchen --from server", "the server sends the image"],
  ["date | twinspool print - --title clock --wait", "from a pipe, until it is on paper"],
  ["twinspool print secret.txt --spool client", "the server keeps no copy"],
  ["twinspool print order.txt --expires 2h --priority 80", "before others, and not after the weekend"],
])}${exitCodeHelp}`,
      ),
    async (args, flags, io) => (await import("./print.ts")).runPrint(args, flags, io),
  );
}

function addJobVerbs(add: Add): void {
  const job = (name: string): Command => withCommon(new Command(name).argument("<job>", "job id"));
  const id = "1f0c9a7e-k3x9q2-42";
  add(
    job("show")
      .description("show all that is known of a job, open or ended")
      .addHelpText("after", examples([[`twinspool show ${id}`, "state, spools, outcome and evidence"]])),
    async ([jobId = ""], flags, io) => (await import("./show.ts")).runShow(jobId, flags, io),
  );
  add(
    job("preview")
      .description("write the dots that a job prints to a PNG, from the spool at hand")
      .option("-o, --output <FILE>", "file to write, - for the standard output; default: JOB.png")
      .addHelpText("after", examples([[`twinspool preview ${id} -o look.png`, "what will be on the paper"]])),
    async ([jobId = ""], flags, io) => (await import("./preview.ts")).runPreview(jobId, flags, io),
  );
  add(
    job("cancel")
      .description("cancel a job that has not been printed")
      .addHelpText("after", examples([[`twinspool cancel ${id}`, "says so when it is too late"]])),
    async ([jobId = ""], flags, io) => (await import("./cancel.ts")).runCancel(jobId, flags, io),
  );
  add(
    job("hold")
      .description("keep a job that waits in the queue until it is released")
      .addHelpText("after", examples([[`twinspool hold ${id}`, "until: twinspool release"]])),
    async ([jobId = ""], flags, io) => (await import("./change.ts")).runHold(jobId, flags, io),
  );
  add(
    job("release")
      .description("let a job go that a person holds or that waits for its time")
      .addHelpText("after", examples([[`twinspool release ${id}`, "it prints when its turn comes"]])),
    async ([jobId = ""], flags, io) => (await import("./change.ts")).runRelease(jobId, flags, io),
  );
  add(
    job("change")
      .description("change a job that waits: source, spools, priority, time")
      .option("--from <SPOOL>", "client, server, or auto")
      .option("--spool <SPOOLS>", "both, client, or server")
      .option("--priority <N>", "1 to 100, 100 goes first")
      .option("--at <WHEN>", "not before: 15m, 2h, a time of day such as 18:00, or now")
      .option("--expires <DURATION>", "from now: 30m, 4h, 1d, or never")
      .addHelpText(
        "after",
        examples([
          [`twinspool change ${id} --from server --spool both`, "the server sends it, both keep it"],
          [`twinspool change ${id} --priority 90`, "before the others"],
        ]),
      ),
    async ([jobId = ""], flags, io) => (await import("./change.ts")).runChange(jobId, flags, io),
  );
  add(
    job("retry")
      .description("print a held job again, or an ended one whose image is kept; marked as a duplicate")
      .option("--unmarked", "without the mark; only of an ended job")
      .addHelpText(
        "after",
        examples([
          [`twinspool retry ${id}`, "of a held job, after a look at the paper"],
          [`twinspool retry ${id} --unmarked`, "one more of an ended job, see retention.keepEndedMinutes"],
        ]),
      ),
    async ([jobId = ""], flags, io) => (await import("./retry.ts")).runRetry(jobId, flags, io),
  );
}

function addMove(add: Add): void {
  add(
    withCommon(new Command("move").argument("<job>", "job id").argument("<printer>", "where it is to be printed"))
      .description("move a job that has not begun to another printer of the same width")
      .addHelpText("after", examples([["twinspool move 1f0c9a7e-k3x9q2-42 bar", "it goes on there under a new id"]])),
    async ([jobId = "", printer = ""], flags, io) => (await import("./move.ts")).runMove(jobId, printer, flags, io),
  );
}

function addPrinterVerbs(add: Add): void {
  const printer = (name: string): Command => withCommon(new Command(name).argument("<printer>", "name of the printer"));
  add(
    printer("pause")
      .description("let a printer's queue stand still; what prints goes on to its end")
      .option("--reason <TEXT>", "why, for those who look at the queue")
      .addHelpText(
        "after",
        examples([["twinspool pause kitchen --reason 'new paper roll'", "until: twinspool resume"]]),
      ),
    async ([name = ""], flags, io) => (await import("./pause.ts")).runPause(name, flags, io),
  );
  add(
    printer("resume")
      .description("let a paused printer's queue go on")
      .addHelpText("after", examples([["twinspool resume kitchen", "also after the error policy stop-printer"]])),
    async ([name = ""], flags, io) => (await import("./pause.ts")).runResume(name, flags, io),
  );
}

function addReadingVerbs(add: Add): void {
  add(
    withCommon(new Command("jobs"))
      .description("list the open jobs")
      .option("--printer <NAME>", "only those of this printer")
      .addHelpText("after", examples([["twinspool jobs --json", "for programs"]])),
    async (_, flags, io) => (await import("./jobs.ts")).runJobs(flags, io),
  );
  add(
    withFilter(withCommon(new Command("history"), "one JSON object with all rows"))
      .description("list what has been printed, newest first")
      .option("--limit <N>", "how many rows; default: 20 for people, all for programs")
      .option("--long", "all that is known of each job, with its events")
      .option("--jsonl", "all rows as JSON lines")
      .option("--csv", "all rows as CSV (RFC 4180), times in UTC")
      .option("--excel", "the same for spreadsheet programs: byte order mark, times of this machine")
      .option("--print", "print it as a document, on the printer of --on, of --printer, or the default one")
      .option("--on <PRINTER>", "printer that prints it")
      .option("--lang <LANGUAGE>", "language of the print: ja or en; default: that of the configuration, or of LANG")
      .addHelpText(
        "after",
        examples([
          ["twinspool history --since today --outcome indeterminate", "what to look after"],
          ["twinspool history --excel --since 2026-11-01 > november.csv", "for the office"],
          ["twinspool history --jsonl --sent-by server", "for programs"],
          ["twinspool history --print --lang ja --since yesterday", "the record log on paper, in Japanese"],
        ]),
      ),
    async (_, flags, io) => (await import("./history.ts")).runHistory(flags as never, io),
  );
  add(
    withFilter(withCommon(new Command("stats")))
      .description("count what the history says of printers, clients and sources, and say what may be done better")
      .addHelpText(
        "after",
        `
WAIT is the time from the request to the first dot, PRINT from there to the known end: of half of the jobs, and of 95 %.
${examples([
  ["twinspool stats --since 30d", "the last month"],
  ["twinspool stats --printer kitchen --json", "for programs"],
])}`,
      ),
    async (_, flags, io) => (await import("./stats.ts")).runStats(flags, io),
  );
  add(
    withCommon(new Command("spools"))
      .description("show how full the spools are and how loaded the network")
      .addHelpText("after", examples([["twinspool spools", "the server's, and that of this machine's client"]])),
    async (_, flags, io) => (await import("./spools.ts")).runSpools(flags, io),
  );
  add(
    withCommon(new Command("printers"))
      .description("list the printers and how they are")
      .addHelpText("after", examples([["twinspool printers", "names, states, widths"]])),
    async (_, flags, io) => (await import("./printers.ts")).runPrinters(flags, io),
  );
}

function addSim(add: Add): void {
  add(
    new Command("sim")
      .description("run a simulated receipt printer")
      .option("--tcp <PORT>", "port of raw printing, 0 for any free one; 9100 when no other way in is named")
      .option("--pty [LINK]", "a pseudo terminal, with a symbolic link that leads to it; Linux and macOS")
      .option("--baud <RATE>", "speed of its line; without it bytes take no time")
      .option("--xon-xoff", "BUSY sends XOFF and XON to the pseudo terminal")
      .option("--usbip [PORT]", "a USB printer that Linux attaches; port 3240, 0 for any free one")
      .option("--stdin", "print the standard input, and end when all of it is on paper")
      .option("--replies <FILE>", "what the printer answers to the standard input is added to the file")
      .option("--nv <FILE>", "file that keeps the NV memory")
      .option("--address <ADDRESS>", "address to listen on", "127.0.0.1")
      .option("--profile <NAME>", "model: tm-m30iii, tm-t88vi, xp-80, nt-5890k, zj-58, pos-5890k", "tm-m30iii")
      .option("--paper <DIR>", "folder that gets a PNG for each ticket")
      .option("--speed <SPEED>", "real or fast", "real")
      .addOption(
        new Option(
          "--fault <FAULT>",
          "what goes wrong, may be repeated: paper-end, power-cut@3s, paper-end@1200 (rows)",
        )
          .argParser((value: string, before: readonly string[] = []) => [...before, value])
          .default([], "none"),
      )
      .option("--view", "draw the tickets; a terminal does so by itself")
      .option("--no-view", "do not draw them")
      .option("--web <PORT>", "serve a live page with paper, lamps and faults on this computer, 0 for any free port")
      .option("--json", "a line of JSON for each event")
      .addHelpText(
        "after",
        `
Faults can also be typed while it runs, one a line. Not with --stdin, whose input is for the paper: there --fault and
--web are what breaks it. What happens, and what undoes it:
  paper-end, paper-near-end            paper-loaded
  cover-open                           cover-closed
  cutter-jam                           cutter-freed, then DLE ENQ from the host
  paper-jam                            jam-cleared, then DLE ENQ from the host
  hot-head                             time, or head-cooled
  unrecoverable-error                  power-cut, then power-on
  power-cut, link-cut                  power-on, link-restored
  lost-bytes=0.05, corrupted-bytes     line-clean
  mute, slow=4                         unmute, full-speed
  drawer-opened                        drawer-closed
  feed-button
Several ways in lead to the one printer.
${examples([
  ["twinspool sim --paper paper/", "on port 9100"],
  ["cat receipt.bin | twinspool sim --stdin --paper paper/", "print a file, and end"],
  ["twinspool sim --pty /tmp/printer --baud 38400 --xon-xoff", "a serial printer"],
  ["twinspool sim --usbip", "a USB printer, attached by usbip"],
  ["twinspool sim --tcp 0 --speed fast --fault paper-end@3s", "on any port, out of paper after three seconds"],
])}`,
      ),
    async (_, flags, io) => (await import("./sim.ts")).runSim(flags as never, io),
  );
}

function addRender(add: Add): void {
  add(
    new Command("render")
      .argument("<file>", "ESC/POS bytes or a document, - for the standard input")
      .description("make the paper of ESC/POS bytes, or the dots of a document, a PNG, an SVG or text")
      .option("-o, --output <FILE>", "file to write, several cuts give FILE-1, FILE-2 …; default: NAME-print.png")
      .option("--profile <NAME>", "model to print for", "tm-m30iii")
      .option("--width <DOTS>", "width for a document, instead of the model's")
      .option("--text", "what a person reads on the paper of ESC/POS bytes; with --json also where each line stands")
      .option("--svg", "SVG instead of PNG: the same dots, and the text in its place")
      .option("--strict", "fail when the bytes have a diagnostic, or end within a command")
      .option("--escpos", "take the bytes as ESC/POS, whatever they look like")
      .option("--json", "answer in JSON")
      .addHelpText(
        "after",
        examples([
          ["twinspool render capture.bin -o paper.png", "what a printer would make of these bytes"],
          ["twinspool render capture.bin --text", "what a person would read"],
          ["twinspool render menu.txt --width 384", "for a narrow printer"],
        ]),
      ),
    async ([file = ""], flags, io) => (await import("./render.ts")).runRender(file, flags, io),
  );
}
