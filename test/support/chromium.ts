import { access } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";

const PATH = "/usr/bin/chromium";

/** Debian's Chromium, headless, which reaches nothing but 127.0.0.1. Rejects with how to get it where it is missing. */
export async function startChromium(): Promise<Browser> {
  await access(PATH).catch(() => {
    throw new Error(`${PATH} is missing. Install it with: apt-get install chromium`);
  });
  const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  return chromium.launch({
    executablePath: PATH,
    args: [...quiet, "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}
