import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { LAMBDA_CA_PATH, pemOf, type TrustOptions, trustedCertificates } from "../../src/aws/tls.ts";

const path = fileURLToPath(new URL("../support/tls/ca.pem", import.meta.url));
const key = fileURLToPath(new URL("../support/tls/server-key.pem", import.meta.url));
const pem = readFileSync(path, "utf8");
const readFile = (file: string) => readFileSync(file, "utf8");

/** What was decided, and which files were read for it. */
function decide(options: Partial<TrustOptions>, files: Readonly<Record<string, string>> = {}) {
  const opened: string[] = [];
  const given = (file: string) => {
    opened.push(file);
    return files[file] ?? readFile(file);
  };
  return { trusted: trustedCertificates({ target: "rds", onLambda: true, ca: null, readFile: given, ...options }), opened };
}

describe("without a setting", () => {
  test("Node's own store is trusted for RDS Proxy, on Lambda too, and no file is opened", () => {
    expect(decide({ target: "rds-proxy" }, { [LAMBDA_CA_PATH]: pem })).toEqual({ trusted: null, opened: [] });
  });

  test("an RDS instance is trusted by the file of Lambda's runtime", () => {
    expect(decide({}, { [LAMBDA_CA_PATH]: pem })).toEqual({ trusted: pem, opened: [LAMBDA_CA_PATH] });
  });

  test("Node's own store stands in where Lambda's runtime has no such file", () => {
    expect(decide({}).trusted).toBeNull();
  });

  test("the file is not looked for outside Lambda, or for another target", () => {
    expect(decide({ onLambda: false }, { [LAMBDA_CA_PATH]: pem }).opened).toEqual([]);
    expect(decide({ target: "postgres" }, { [LAMBDA_CA_PATH]: pem }).opened).toEqual([]);
  });
});

describe("the setting ca", () => {
  test("is taken as the certificates themselves, before anything else", () => {
    expect(decide({ ca: `${pem}\n${pem}` }, { [LAMBDA_CA_PATH]: "other" })).toEqual({ trusted: `${pem}\n${pem}`, opened: [] });
  });

  test("is taken on one line, with \\n for its line breaks, as variables hold it", () => {
    for (const line of ["\\n", "\\r\\n"]) expect(decide({ ca: pem.replaceAll("\n", line) }).trusted).toBe(pem);
    expect(pemOf("key", readFile(key).replaceAll("\n", "\\n"), readFile)).toBe(readFile(key));
  });

  test("is taken as the path of a file that holds them", () => {
    expect(decide({ ca: path, target: "rds-proxy" })).toEqual({ trusted: pem, opened: [path] });
  });

  test.each([
    ["a file that is not there", "/nonexistent/ca.pem", "ENOENT"],
    ["a folder", "/", "EISDIR"],
    ["a file that holds a key", key, "BEGIN CERTIFICATE"],
    ["a key", readFile(key), "BEGIN CERTIFICATE"],
    ["a file that is no PEM", fileURLToPath(new URL("./pinning.test.ts", import.meta.url)), "BEGIN CERTIFICATE"],
    ["a certificate that is cut short", pem.replace(/\n.{20,}\n(?=-----END)/, "\n").replace(/\n.{40}/, "\n"), "copy it again"],
    ["a good certificate before a broken one", `${pem}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`, "copy it again"],
  ])("refuses %s, with the remedy and without the value", (_, ca, words) => {
    expect(() => decide({ ca })).toThrow(
      expect.objectContaining({ name: "ConfigError", code: "INVALID_SETTING", setting: "ca", message: expect.stringContaining(words) }),
    );
    expect(() => decide({ ca })).not.toThrow(ca.slice(0, 30));
  });
});
