/** The part of vitest's expectations the stand-in uses; installed by scripts/runtimes/test.ts alone. */
declare module "@vitest/expect" {
  export const chai: { use(plugin: unknown): void; readonly expect: unknown };
  export const JestAsymmetricMatchers: unknown;
  export const JestChaiExpect: unknown;
  export const JestExtend: unknown;
}
