import { randomBytes } from "node:crypto";
import type { Random } from "../support/random.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { mangle, nastyTexts } from "./nasty.ts";

/** Who logs in through the tunnel. */
export interface TunnelLogin {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const PROTOCOL_3_0 = 196_608;

/** A WebSocket to `/v2` that goes wrong: in the upgrade, in its frames, in the startup, or in Postgres' protocol after the login. */
export function webSocketCase(random: Random, login: TunnelLogin): FuzzCase {
  const good = [
    binary(startup(login)),
    binary(typed("p", `${login.password}\0`)),
    binary(typed("Q", "select 1\0")),
    binary(typed("X", "")),
  ];
  const frames = random.pick<() => { readonly kind: string; readonly frames: readonly Buffer[] }>([
    () => ({ kind: "tunnel", frames: [binary(nastyPacket(random))] }),
    () => ({ kind: "tunnel", frames: [binary(mangle(startup(login), random)), ...good.slice(1)] }),
    () => ({ kind: "tunnel", frames: [good[0] as Buffer, binary(mangle(typed("p", `${login.password}\0`), random))] }),
    () => ({ kind: "tunnel", frames: [...good.slice(0, 2), binary(nastyMessage(random)), binary(nastyMessage(random))] }),
    () => ({
      kind: "tunnel",
      frames: [
        binary(
          startup({ ...login, [random.pick(["user", "database", random.pick(nastyTexts)])]: random.pick(nastyTexts).slice(0, 9_000) }),
        ),
        ...good.slice(1),
      ],
    }),
    () => ({
      kind: "frames",
      frames: [...good.slice(0, random.between(0, 3)), nastyFrame(random), ...good.slice(0, random.between(0, 3))],
    }),
    () => ({ kind: "frames", frames: [mangle(Buffer.concat(good), random)] }),
  ])();
  return { kind: frames.kind, bytes: Buffer.concat([upgrade(random), ...frames.frames]), whole: false };
}

/** The upgrade, now and then with something wrong. */
function upgrade(random: Random): Buffer {
  const lines = [
    "GET /v2 HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.from(Array.from({ length: 16 }, () => random.between(0, 255))).toString("base64")}`,
  ];
  if (random.once(6))
    lines[random.between(1, lines.length - 1)] = random.pick([
      "X: y",
      "Sec-WebSocket-Version: 99",
      "Sec-WebSocket-Key: short",
      "Upgrade: else",
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99",
      "Sec-WebSocket-Protocol: a, a",
    ]);
  if (random.once(20)) lines[0] = `GET ${random.pick(["/", "/v2/", "/v3", "/v2?x", "/%"])} HTTP/1.1`;
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** A masked frame as clients send it. Source: RFC 6455, section 5.2. */
function frame(first: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const head = Buffer.alloc(long ? 4 : 2);
  head[0] = first;
  head[1] = 0x80 | (long ? 126 : payload.length);
  if (long) head.writeUInt16BE(payload.length & 0xffff, 2);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)))]);
}

function binary(payload: Buffer): Buffer {
  return frame(0x82, payload.subarray(0, 65_535));
}

function nastyFrame(random: Random): Buffer {
  const payload = Buffer.from(random.pick(nastyTexts).slice(0, 60_000));
  return random.pick<() => Buffer>([
    () => frame(0x81, payload),
    () => frame(0x81, Buffer.from([0xff, 0xfe, 0xc0])),
    () => frame(random.pick([0x83, 0x8b, 0xf2, 0xc2, 0xa2, 0x92]), payload),
    () => frame(0x80, payload),
    () => Buffer.concat([frame(0x02, payload), frame(0x02, payload)]),
    () => frame(0x89, Buffer.alloc(200)),
    () => frame(0x88, Buffer.from(random.pick([[], [3], [3, 232], [0, 0], [3, 237], [15, 161, 255]]))),
    () => Buffer.from([0x82, 0x05, 1, 2, 3, 4, 5]),
    () => Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    () => Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    () => Buffer.from(Array.from({ length: random.between(1, 100) }, () => random.between(0, 255))),
  ])();
}

/** Source for the packets and messages: PostgreSQL documentation, message formats. */
function startup(parameters: object): Buffer {
  const text = Object.entries(parameters)
    .filter(([name]) => name !== "password")
    .map(([name, value]) => `${name}\0${value}\0`)
    .join("");
  return packet(PROTOCOL_3_0, Buffer.from(`${text}\0`));
}

function packet(code: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + rest.length, 0);
  head.writeUInt32BE(code >>> 0, 4);
  return Buffer.concat([head, rest]);
}

function nastyPacket(random: Random): Buffer {
  const lying = (length: number) => {
    const bytes = packet(PROTOCOL_3_0, Buffer.from("user\0a\0\0"));
    bytes.writeInt32BE(length, 0);
    return bytes;
  };
  return random.pick<() => Buffer>([
    () => lying(random.pick([-1, 0, 3, 7, 8, 9, 10_000, 10_001, 2 ** 31 - 1])),
    () => packet(random.pick([0, 65_536, 131_072, 196_609, 262_144, 0xffffffff]), Buffer.from("user\0a\0\0")),
    () => packet(80_877_102, Buffer.alloc(random.pick([0, 4, 8, 100]))),
    () => Buffer.concat([packet(80_877_103, Buffer.alloc(0)), packet(80_877_104, Buffer.alloc(0)), packet(80_877_103, Buffer.alloc(0))]),
    () =>
      packet(
        PROTOCOL_3_0,
        Buffer.from(
          random.pick(["", "\0", "user\0", "user\0\0\0", "database\0d\0\0", "__proto__\0x\0user\0a\0\0", "user\0a\0_pq_.x\0y\0\0"]),
        ),
      ),
    () => Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.between(0, 255))),
  ])();
}

function typed(type: string, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function nastyMessage(random: Random): Buffer {
  const type = random.pick([..."QPBDESHCXFdcfp\0~"]);
  const message = typed(type, random.pick(nastyTexts).slice(0, 5_000));
  if (random.once(2)) message.writeInt32BE(random.pick([-1, 0, 3, 4, 5, 100, 2 ** 31 - 1]), 1);
  return message;
}
