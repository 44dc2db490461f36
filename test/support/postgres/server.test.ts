import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { startPostgres } from "./server.ts";

interface Row {
  readonly [column: string]: unknown;
}

async function ask(url: string, text: string, ssl?: { readonly ca: string }): Promise<Row | undefined> {
  const client = new Client({ connectionString: url, ...(ssl && { ssl }) });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows[0];
  } finally {
    await client.end();
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  const answered = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answered;
}

/** Starts a process that starts Postgres and then does what `after` says. */
async function startElsewhere(after: string) {
  const launcher = new URL("./server.ts", import.meta.url).href;
  const code = `
    const { startPostgres } = await import(${JSON.stringify(launcher)});
    const server = await startPostgres();
    console.log(JSON.stringify({ port: server.port, url: server.url() }));
    ${after}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { port, url } = JSON.parse(line) as { readonly port: number; readonly url: string };
  return { child, port, url };
}

async function isGoneWithin(milliseconds: number, port: number, folder: string): Promise<boolean> {
  const giveUpAt = Date.now() + milliseconds;
  while ((await isListening(port)) || existsSync(folder)) {
    if (Date.now() > giveUpAt) return false;
    await delay(50);
  }
  return true;
}

describe("the Postgres launcher", () => {
  test("starts two servers at once, each with its own port and password", async () => {
    const servers = await Promise.all([startPostgres(), startPostgres({ settings: { max_connections: "7" } })]);
    try {
      const [first, second] = servers;
      expect(first.port).not.toBe(second.port);
      expect(first.password).not.toBe(second.password);
      expect(await ask(first.url(), "show max_connections")).toEqual({ max_connections: "100" });
      expect(await ask(second.url(), "show max_connections")).toEqual({ max_connections: "7" });
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });

  test("asks for a password by SCRAM, and runs in UTC and UTF-8 under an account that is not root", async () => {
    const server = await startPostgres();
    try {
      const wrong = server.url().replace(server.password, "wrong");
      await expect(ask(wrong, "select 1")).rejects.toMatchObject({ code: "28P01" });
      const facts = `select rolpassword like 'SCRAM-SHA-256$%' as scram, current_setting('timezone') as zone,
        current_setting('server_encoding') as encoding from pg_authid where rolname = 'postgres'`;
      expect(await ask(server.url(), facts)).toEqual({ scram: true, zone: "UTC", encoding: "UTF8" });
      if (existsSync("/proc")) expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0);
    } finally {
      await server.stop();
    }
  });

  test("serves TLS that its authority verifies", async () => {
    const server = await startPostgres({ tls: true });
    try {
      const ca = readFileSync(server.ca ?? "", "utf8");
      const sessions = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
      expect(await ask(server.url(), sessions, { ca })).toEqual({ ssl: true });
      expect(await ask(server.url().replace("127.0.0.1", "localhost"), sessions, { ca })).toEqual({ ssl: true });
      expect(await ask(server.url(), sessions)).toEqual({ ssl: false });
    } finally {
      await server.stop();
    }
  });

  test("stops once however often it is asked, also after the server was killed", async () => {
    const server = await startPostgres();
    const folder = String((await ask(server.url(), "show data_directory"))?.data_directory);
    process.kill(server.pid, "SIGKILL");
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await isListening(server.port)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  test("is halted, which its sessions are told, and resumes with its data on the same port", async () => {
    const server = await startPostgres();
    try {
      await ask(server.url(), "create table kept as select 7 as seven");
      const staying = new Client({ connectionString: server.url() });
      const farewell = once(staying, "error");
      // the end of its socket comes behind the farewell
      staying.on("error", () => {});
      await staying.connect();
      const { pid } = server;
      await server.halt();
      expect((await farewell)[0]).toMatchObject({ code: "57P01" });
      expect(await isListening(server.port)).toBe(false);
      await server.resume();
      expect(server.pid).not.toBe(pid);
      expect(await ask(server.url(), "select seven from kept")).toEqual({ seven: 7 });
    } finally {
      await server.stop();
    }
    expect(await isListening(server.port)).toBe(false);
  });

  test("says why when the server does not start", async () => {
    await expect(startPostgres({ settings: { max_connections: "many" } })).rejects.toThrow(/max_connections/);
  });

  test("leaves no server behind when its process is killed", async () => {
    const { child, port, url } = await startElsewhere("setInterval(() => {}, 60_000);");
    const folder = String((await ask(url, "show data_directory"))?.data_directory);
    child.kill("SIGKILL");
    expect(await isGoneWithin(20_000, port, folder)).toBe(true);
  });

  test("does not keep its process alive, and leaves no server behind when that ends", async () => {
    const { child, port } = await startElsewhere("");
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
    expect(await isGoneWithin(20_000, port, "")).toBe(true);
  });
});
