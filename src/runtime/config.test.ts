import { expect, test } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import { defaultTimers } from "../protocol/limits.ts";
import { type ConfigSources, checkListen, configFolder, dataFolder, loadConfig } from "./config.ts";
import { configKeys } from "./config-schema.ts";

const secret = "correct-horse-battery";

/** Loads with one file in the world, or none. */
function load(sources: Partial<ConfigSources> = {}, files: Record<string, string> = {}) {
  return loadConfig({
    env: { HOME: "/home/u" },
    platform: "linux",
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error("none"), { code: "ENOENT" });
      return text;
    },
    ...sources,
  });
}

async function refusal(sources: Partial<ConfigSources>, files?: Record<string, string>): Promise<TwinspoolError> {
  const error = await load(sources, files).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TwinspoolError);
  return error as TwinspoolError;
}

test("without any source everything has its default", async () => {
  const config = await load();
  expect(config).toMatchObject({
    server: "http://127.0.0.1:6310",
    listen: { address: "127.0.0.1", port: 6310 },
    host: { port: 6311, ledgerRecords: 1024 },
    clientPort: 0,
    printers: [],
    rules: [],
    capacity: { nearFullPercent: 80, fullPercent: 90, reserveBytes: 64 * 1024 ** 2, clientSharePercent: 20 },
    network: { loadedPercent: 70, off: false },
    timers: defaultTimers,
    retention: { historyDays: 90, keepEndedMinutes: 0 },
    spoolQuotaBytes: 1024 ** 3,
    log: { level: "info" },
  });
  expect(config.name).not.toBe("");
  expect(config.key).toBeUndefined();
});

test("flags win over environment, environment over file, file over default", async () => {
  const files = { "/c.toml": "clientPort = 1\n[listen]\nport = 1\n[host]\nport = 1\n[timers]\nserverSilentMs = 900\n" };
  const config = await load(
    {
      argvFlags: { config: "/c.toml", "listen.port": "3", name: undefined },
      env: { TWINSPOOL_LISTEN_PORT: "2", TWINSPOOL_HOST_PORT: "2", TWINSPOOL_NAME: "" },
    },
    files,
  );
  expect([config.listen.port, config.host.port, config.clientPort, config.listen.address]).toEqual([
    3,
    2,
    1,
    "127.0.0.1",
  ]);
  expect(config.timers).toEqual({ ...defaultTimers, serverSilentMs: 900 });
});

test("the file is the flag's, else the environment's, else the one in the config folder, in TOML or JSON", async () => {
  const files = {
    "/home/u/.config/twinspool/twinspool.toml": 'name = "folder"',
    "/e.json": '\uFEFF{"name": "environment"}',
    "/f.toml": 'name = "flag"',
  };
  const env = { HOME: "/home/u", TWINSPOOL_CONFIG: "/e.json" };
  expect((await load({}, files)).name).toBe("folder");
  expect((await load({ env }, files)).name).toBe("environment");
  expect((await load({ env, argvFlags: { config: "/f.toml" } }, files)).name).toBe("flag");
});

test("printers come as TOML tables or as JSON from the environment", async () => {
  const toml = '[[printers]]\nname = "kitchen"\nuri = "socket://10.0.0.9:9100"\n';
  const policies = { indeterminate: "hold", errorPolicy: "retry-job" };
  const expected = [{ name: "kitchen", uri: "socket://10.0.0.9:9100", ...policies }];
  expect((await load({ argvFlags: { config: "/c" } }, { "/c": toml })).printers).toEqual(expected);
  const env = { TWINSPOOL_PRINTERS: '[{"name":"kitchen","uri":"socket://10.0.0.9:9100"}]' };
  expect((await load({ env })).printers).toEqual(expected);
});

test("an error names key, origin, value and what is allowed", async () => {
  const env = { TWINSPOOL_LISTEN_PORT: "70000" };
  expect((await refusal({ env })).detail).toBe(
    "listen.port from the environment (TWINSPOOL_LISTEN_PORT) is 70000, allowed: a whole number from 0 to 65535 (0: any free port)",
  );
  expect((await refusal({ argvFlags: { from: "printer" } })).detail).toBe(
    'from from the command line is "printer", allowed: one of client, server, auto',
  );
  const files = { "/c.toml": '[[printers]]\nname = "a"\nuri = "file:/x"\n[[printers]]\nname = "a"\nuri = "file:/y"\n' };
  expect((await refusal({ argvFlags: { config: "/c.toml" } }, files)).detail).toBe(
    'printers.1.name from /c.toml is "a", allowed: a name that no other printer has',
  );
  expect((await refusal({ argvFlags: { config: "/d.json" } }, { "/d.json": '{"listen": 6310}' })).detail).toBe(
    "listen from /d.json is 6310, allowed: a section with keys",
  );
  expect(
    (await refusal({ argvFlags: { config: "/d.json" } }, { "/d.json": '{"printers": [{"name":"a"}]}' })).detail,
  ).toBe("printers.0.uri from /d.json is missing, allowed: a text of 1 to 500 characters");
});

test("unknown keys are refused with what was meant", async () => {
  const files = {
    "/c.toml": "[listen]\nprot = 1\n[[printers]]\nname='a'\nurl='file:/x'\nuri='file:/x'\n",
    "/d.json": '{"__proto__": {"a": 1}}',
  };
  const { detail } = await refusal({ argvFlags: { config: "/c.toml" } }, files);
  expect(detail).toContain("listen.prot from /c.toml is no known key; did you mean listen.port?");
  expect(detail).toContain("printers.0.url from /c.toml is no known key; did you mean printers.0.uri?");
  expect((await refusal({ argvFlags: { config: "/d.json" } }, files)).detail).toContain("__proto__ from /d.json");
  expect((await refusal({ argvFlags: { colour: "red" } })).detail).toContain("known are name, data, server");
  expect((await refusal({ env: { TWINSPOOL_KEI: secret } })).detail).toContain("did you mean TWINSPOOL_KEY?");
});

test("names that a container runtime puts into the environment do no harm", async () => {
  const env = { TWINSPOOL_PORT_6310_TCP_ADDR: "10.0.0.1", TWINSPOOL_SERVICE_HOST: "10.0.0.1" };
  expect((await load({ env })).listen.address).toBe("127.0.0.1");
});

test("the key is never shown", async () => {
  const texts = [
    (await refusal({ env: { TWINSPOOL_KEY: "short-horse" } })).message,
    (await refusal({ argvFlags: { key: `${secret} with space` } })).message,
    (await refusal({ argvFlags: { config: "/c.toml" } }, { "/c.toml": `key = "${secret}` })).message,
    (await refusal({ argvFlags: { config: "/c.json" } }, { "/c.json": `{"key": ${secret}}` })).message,
    (await refusal({ argvFlags: { server: { key: secret } } })).message,
  ];
  for (const text of texts) {
    expect(text).not.toContain("horse");
  }
  expect(texts[0]).toContain("key from the environment (TWINSPOOL_KEY) is (not shown), allowed: a secret of 16");
});

test("a file that cannot be read or understood is told by its path and place", async () => {
  expect((await refusal({ argvFlags: { config: "/none.toml" } })).detail).toBe(
    "the file /none.toml cannot be read (ENOENT)",
  );
  const { detail } = await refusal({ argvFlags: { config: "/c.toml" } }, { "/c.toml": 'name = "a"\nport = = 1\n' });
  expect(detail).toContain("the file /c.toml line 2, column 8 cannot be understood");
});

test("the source must be a spool in use", async () => {
  expect((await refusal({ argvFlags: { from: "client", spool: "server" } })).code).toBe("spools-contradict");
  expect((await load({ argvFlags: { from: "server", spool: "server" } })).from).toBe("server");
});

test.each([
  ["127.0.0.1", undefined, true],
  ["127.8.9.1", undefined, true],
  ["::1", undefined, true],
  ["localhost", undefined, true],
  ["0.0.0.0", undefined, false],
  ["::", undefined, false],
  ["192.168.0.5", undefined, false],
  ["127.example.org", undefined, false],
  ["0.0.0.0", secret, true],
])("listening on %s with key %s: %s", (address, key, allowed) => {
  const check = () => checkListen({ listen: { address }, key });
  if (allowed) expect(check).not.toThrow();
  else expect(check).toThrow(/needs a shared key/);
});

test("folders follow the platform", () => {
  expect(dataFolder({ HOME: "/h" }, "linux")).toBe("/h/.local/state/twinspool");
  expect(dataFolder({ HOME: "/h", XDG_STATE_HOME: "/s" }, "linux")).toBe("/s/twinspool");
  expect(dataFolder({ HOME: "/h", XDG_STATE_HOME: "relative" }, "linux")).toBe("/h/.local/state/twinspool");
  expect(dataFolder({ HOME: "/h" }, "darwin")).toBe("/h/Library/Application Support/twinspool");
  expect(dataFolder({ LOCALAPPDATA: "C:\\L" }, "win32")).toBe("C:\\L\\twinspool");
  expect(dataFolder({ USERPROFILE: "C:\\U" }, "win32")).toBe("C:\\U\\AppData\\Local\\twinspool");
  expect(configFolder({ APPDATA: "C:\\R" }, "win32")).toBe("C:\\R\\twinspool");
});

test("every key has an environment variable of its own and a description", () => {
  const keys = configKeys();
  expect(new Set(keys.map((key) => key.env)).size).toBe(keys.length);
  expect(keys.find((key) => key.path === "spoolQuotaBytes")).toMatchObject({
    env: "TWINSPOOL_SPOOL_QUOTA_BYTES",
    kind: "number",
    default: 1024 ** 3,
  });
  expect(keys.find((key) => key.path === "timers.serverSilentMs")?.env).toBe("TWINSPOOL_TIMERS_SERVER_SILENT_MS");
  expect(keys.filter((key) => key.description === "").map((key) => key.path)).toEqual([]);
});

test("a rule with a key that is none, or that contradicts itself, is refused with its place", async () => {
  const refused = (rules: string) => refusal({ argvFlags: { config: "/t.toml" } }, { "/t.toml": rules });
  const slip = await refused('[[rules]]\nwhen = { titel = "*.pdf" }\nfrom = "server"\n');
  expect(slip.message).toContain("did you mean rules.0.when.title?");
  const both = await refused('[[rules]]\nfrom = "server"\nspool = "client"\n');
  expect(both.message).toContain("rules.0.from");
  expect((await refused('[[rules]]\nexpires = "soon"\n')).message).toContain("a duration such as 90s");
  expect((await refused("[capacity]\nnearFullPercent = 95\n")).message).toContain("at most capacity.fullPercent");
});

test("yes and no from the environment", async () => {
  const { network } = await load({ env: { HOME: "/home/u", TWINSPOOL_NETWORK_OFF: "true" } });
  expect(network.off).toBe(true);
  const { message } = await refusal({ env: { HOME: "/home/u", TWINSPOOL_NETWORK_OFF: "maybe" } });
  expect(message).toContain("true or false");
});
