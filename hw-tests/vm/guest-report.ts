/** One line of the guest that says how a check went. */
export interface CheckResult {
  readonly ok: boolean;
  readonly name: string;
}

const resultPattern = /^(not )?ok (\d+) - (.*)$/;
const planPattern = /^1\.\.(\d+)$/;
const exitPattern = /^@guest exit (\d+)$/;

/** Reads what a guest says on its console: lines as TAP has them, and the marks of its init. */
export class GuestReport {
  readonly results: CheckResult[] = [];
  readonly #faults: string[] = [];
  #planned: number | undefined;
  #exitCode: number | undefined;

  /** Takes a line of the console. Anything that is neither result, plan nor mark is a remark for people. */
  read(line: string): void {
    const result = resultPattern.exec(line);
    if (result !== null) {
      const number = Number(result[2]);
      this.results.push({ ok: result[1] === undefined, name: result[3] ?? "" });
      if (number !== this.results.length) this.#faults.push(`line ${this.results.length} has the number ${number}`);
      return;
    }
    const plan = planPattern.exec(line)?.[1];
    if (plan !== undefined) this.#planned = Number(plan);
    const exitCode = exitPattern.exec(line)?.[1];
    if (exitCode !== undefined) this.#exitCode = Number(exitCode);
  }

  /** All reasons why this run is no success; none after a run that was complete and passed. */
  faults(): readonly string[] {
    const failed = this.results.filter(({ ok }) => !ok).map(({ name }) => `failed: ${name}`);
    const unplanned =
      this.#planned === undefined
        ? `the test program did not reach its end; the last it said was: ${this.results.at(-1)?.name ?? "nothing"}`
        : this.#planned !== this.results.length
          ? `${this.#planned} checks were planned, ${this.results.length} reported`
          : undefined;
    const unfinished =
      this.#exitCode === undefined
        ? "the guest ended without its end mark"
        : this.#exitCode !== 0
          ? `the test program ended with code ${this.#exitCode}`
          : undefined;
    const empty = this.results.length === 0 ? "not one check ran" : undefined;
    return [...this.#faults, ...failed, ...[unplanned, unfinished, empty].filter((fault) => fault !== undefined)];
  }
}
