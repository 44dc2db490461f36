import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readJson } from "./read-json.ts";

/** The part of Lambda's Extensions API that an internal extension without events needs, which is what makes the platform send SIGTERM. */
export interface ExtensionsApi {
  /** Whether one has registered. */
  isInUse(): boolean;
  /** Whether each that has registered also asked for its first event, without which the init phase does not end. */
  isReady(): boolean;
  /** The init phase is over: nobody may register any more. */
  closeRegistration(): void;
  /** Answers a request to `/2020-01-01/extension/…`. One for an event is held, since none comes. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** What a newly registered extension is told. */
export interface FunctionIdentity {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
}

/** Opens the API for one process; `onReady` is called whenever an extension becomes ready. */
export function openExtensionsApi(identity: FunctionIdentity, onReady: () => void): ExtensionsApi {
  const names = new Map<string, string>();
  const ready = new Set<string>();
  let isOpen = true;

  const register = async (request: IncomingMessage, response: ServerResponse) => {
    const name = request.headers["lambda-extension-name"];
    const { events = [] } = (await readJson(request)) as { readonly events?: readonly string[] };
    if (typeof name !== "string" || name === "") return refuse(response, "Extension.InvalidExtensionName", "Empty extension name");
    if (events.length > 0)
      return refuse(response, "Extension.InvalidEventType", `${events[0]}: the sandbox gives an internal extension no events`);
    if (!isOpen) return refuse(response, "Extension.RegistrationClosed", "Extension registration closed already");
    if ([...names.values()].includes(name)) {
      return refuse(response, "Extension.InvalidExtensionState", "Extension with this name already registered");
    }
    const id = randomUUID();
    names.set(id, name);
    response.setHeader("Lambda-Extension-Identifier", id);
    response.end(JSON.stringify(identity));
  };
  return {
    isInUse: () => names.size > 0,
    isReady: () => ready.size === names.size,
    closeRegistration() {
      isOpen = false;
    },
    async answer(request, response) {
      if (request.url?.endsWith("/register")) return await register(request, response);
      const id = request.headers["lambda-extension-identifier"];
      if (typeof id !== "string" || !names.has(id)) {
        return refuse(response, "Extension.UnknownExtensionIdentifier", "Unknown extension identifier");
      }
      ready.add(id);
      onReady();
    },
  };
}

function refuse(response: ServerResponse, errorType: string, errorMessage: string): void {
  response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify({ errorType, errorMessage }));
}
