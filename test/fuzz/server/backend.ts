import {
  commandComplete,
  dataRow,
  errorResponse,
  int16,
  int32,
  type Message,
  message,
  readyForQuery,
  rowDescription,
  text,
} from "./answers.ts";

/** Where a backend's bytes go. */
export interface Line {
  send(bytes: Buffer): void;
  /** Says goodbye, or breaks off without a word. */
  end(how: "fin" | "rst"): void;
}

/** What a backend says to one exchange, before whoever stands between has had it. */
export interface Reply {
  readonly kind: "login" | "extended" | "simple";
  readonly messages: readonly Message[];
  /** The first words of the statements it was asked. */
  readonly commands: readonly string[];
}

/** What the server knows of what was done: each piece of work has a number of its own. */
export interface Books {
  /** Committed. */
  readonly done: Set<number>;
  /** Committed outside of a transaction block. */
  readonly alone: Set<number>;
}

/** What a backend stands in. */
export interface BackendParts {
  readonly line: Line;
  readonly books: Books;
  /** Whether to ask for a password in clear text, as Neon's proxy does. */
  readonly asksPassword: boolean;
  /** Whether a BEGIN is to be refused. */
  readonly refusesBegin: () => boolean;
  readonly reply: (reply: Reply) => void;
}

const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;

/** One connection of a server that knows transactions, and to each statement gives the number in it back as the row. */
export class Backend {
  readonly #parts: BackendParts;
  #buffer: Buffer = Buffer.alloc(0);
  #state: "startup" | "password" | "ready" = "startup";
  #status: "I" | "T" | "E" = "I";
  /** What the open transaction has written. */
  #written: number[] = [];
  /** Whether the rest is skipped until Sync. */
  #skips = false;
  #messages: Message[] = [];
  #commands: string[] = [];
  /** By name, what was parsed; the unnamed one under the empty name. */
  readonly #texts = new Map<string, string>();
  /** The name of the statement that was bound last. */
  #bound = "";
  #values: readonly (string | null)[] = [];

  constructor(parts: BackendParts) {
    this.#parts = parts;
  }

  read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let body = this.#take(); body !== undefined; body = this.#take()) {
      if (this.#state === "startup") this.#startUp(body.bytes);
      else this.#handle(body.type, body.bytes);
    }
  }

  #take(): { type: string; bytes: Buffer } | undefined {
    const typed = this.#state === "startup" ? 0 : 1;
    if (this.#buffer.length < typed + 4) return undefined;
    const end = typed + this.#buffer.readInt32BE(typed);
    if (this.#buffer.length < end) return undefined;
    const type = typed === 0 ? "" : String.fromCharCode(this.#buffer[0] as number);
    const bytes = this.#buffer.subarray(typed + 4, end);
    this.#buffer = this.#buffer.subarray(end);
    return { type, bytes };
  }

  #startUp(body: Buffer): void {
    const code = body.readInt32BE(0);
    if (code === SSL_REQUEST) this.#parts.line.send(Buffer.from("N"));
    else if (code === CANCEL_REQUEST) this.#parts.line.end("fin");
    else if (this.#parts.asksPassword) {
      this.#state = "password";
      this.#parts.line.send(message("R", int32(3)).bytes);
    } else this.#logIn();
  }

  #logIn(): void {
    this.#state = "ready";
    const setting = message("S", text("server_version"), text("18.0"));
    const messages = [message("R", int32(0)), setting, message("K", int32(1), int32(2)), readyForQuery("I")];
    this.#parts.reply({ kind: "login", messages, commands: [] });
  }

  #handle(type: string, body: Buffer): void {
    if (this.#state === "password") {
      this.#logIn();
      return;
    }
    switch (type) {
      case "P":
        if (this.#skips) return;
        this.#parse(stringAt(body, 0), body);
        return;
      case "C":
        if (this.#skips) return;
        this.#texts.delete(stringAt(body, 1));
        this.#messages.push(message("3"));
        return;
      case "D":
        // a portal is described as it is executed
        if (!this.#skips && body[0] === 0x53) this.#describe(stringAt(body, 1));
        return;
      case "B":
        if (!this.#skips) this.#bind(body);
        return;
      case "E":
        if (!this.#skips) this.#execute(this.#texts.get(this.#bound) ?? "", this.#values, this.#bound === "" ? "unnamed" : "named");
        return;
      case "Q":
        for (const statement of stringAt(body, 0).split(";")) if (!this.#skips) this.#execute(statement.trim(), [], "simple");
        this.#answer("simple");
        return;
      case "S":
        this.#answer("extended");
        return;
      case "X":
        this.#parts.line.end("fin");
    }
  }

  #parse(name: string, body: Buffer): void {
    if (name !== "" && this.#texts.has(name)) return void this.#refuse("42P05");
    this.#texts.set(name, stringAt(body, name.length + 1));
    this.#messages.push(message("1"));
  }

  #describe(name: string): void {
    const statement = this.#texts.get(name) ?? "";
    const gives = !/^\s*($|insert|begin|commit|rollback|savepoint|release)/i.test(statement);
    const columns = /\$1|\d/.test(statement) ? ["n"] : [];
    this.#messages.push(message("t", int16(0)), gives ? rowDescription(columns) : message("n"));
  }

  #bind(body: Buffer): void {
    const name = stringAt(body, 1);
    if (!this.#texts.has(name)) return void this.#refuse("26000");
    this.#bound = name;
    this.#values = boundValues(body, name);
    this.#messages.push(message("2"));
  }

  #refuse(code: string): void {
    this.#messages.push(errorResponse("ERROR", code));
    this.#skips = true;
    if (this.#status === "T") this.#status = "E";
  }

  /** Runs a statement, and says what there is to say of it; its description among it where it was asked for with it. */
  #execute(statement: string, values: readonly (string | null)[], sent: "unnamed" | "named" | "simple"): void {
    const command = /^\w*/.exec(statement)?.[0].toUpperCase() ?? "";
    const number = Number(values[0] ?? /\d+/.exec(statement)?.[0] ?? Number.NaN);
    this.#commands.push(command);
    const none = sent === "unnamed" ? [message("n")] : [];
    const say = (...messages: readonly Message[]) => this.#messages.push(...messages);
    if (command === "") return void say(...none, message("I"));
    if (this.#status === "E" && command !== "ROLLBACK" && command !== "COMMIT") return void this.#refuse("25P02");
    switch (command) {
      case "BEGIN":
        if (this.#parts.refusesBegin()) return void this.#refuse("57014");
        this.#status = "T";
        return void say(...none, commandComplete("BEGIN"));
      case "COMMIT": {
        const failed = this.#status === "E";
        if (!failed) for (const written of this.#written) this.#parts.books.done.add(written);
        this.#end();
        return void say(...none, commandComplete(failed ? "ROLLBACK" : "COMMIT"));
      }
      case "ROLLBACK":
        if (/^rollback to/i.test(statement)) this.#status = "T";
        else this.#end();
        return void say(...none, commandComplete("ROLLBACK"));
      case "SAVEPOINT":
      case "RELEASE":
        return void say(...none, commandComplete(command));
      case "INSERT":
        if (this.#status === "T") this.#written.push(number);
        else {
          this.#parts.books.done.add(number);
          this.#parts.books.alone.add(number);
        }
        return void say(...none, commandComplete("INSERT 0 1"));
      default: {
        const columns = Number.isNaN(number) ? [] : ["n"];
        const row = dataRow(columns.map(() => number));
        return void say(...(sent === "named" ? [] : [rowDescription(columns)]), row, commandComplete("SELECT 1"));
      }
    }
  }

  #end(): void {
    this.#status = "I";
    this.#written = [];
  }

  #answer(kind: "extended" | "simple"): void {
    const messages = [...this.#messages, readyForQuery(this.#status)];
    const commands = this.#commands;
    this.#messages = [];
    this.#commands = [];
    this.#skips = false;
    this.#parts.reply({ kind, messages, commands });
  }
}

function stringAt(body: Buffer, at: number): string {
  return body.toString("utf8", at, body.indexOf(0, at));
}

/** The parameters of a Bind to the unnamed portal, all as text. */
function boundValues(body: Buffer, name: string): (string | null)[] {
  let at = 2 + name.length;
  at += 2 + body.readInt16BE(at) * 2;
  const count = body.readInt16BE(at);
  at += 2;
  const values: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString("utf8", at, at + length));
    at += Math.max(length, 0);
  }
  return values;
}
