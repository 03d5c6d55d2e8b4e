import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout = 20_000) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["src/**/*.test.ts", "firmware-sim/**/*.test.ts", "bench/**/*.test.ts", "hw-tests/**/*.test.ts"]),
      project("architecture", ["tests/architecture.test.ts", "tests/architecture/*.test.ts"]),
      project("world", ["world/**/*.test.ts"], 120_000),
      project("spec", ["spec/**/*.test.ts"], 120_000),
      project("browser", ["tests/browser/**/*.test.ts"], 120_000),
      project("encoders", ["tests/encoders/**/*.test.ts"]),
      project("chaos", ["chaos/**/*.test.ts"], 300_000),
      project("process", ["tests/{process,power}/**/*.test.ts"], 120_000),
    ],
  },
});
