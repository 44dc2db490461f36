import { toJsonSchema } from "@valibot/to-json-schema";
import { describe, expect, it } from "vitest";
import { createDatabase } from "warmline";
import { createApp } from "../../functions/app.ts";
import { modulesOnDemand } from "../../functions/modules-on-demand.ts";
import { openapi } from "../../functions/openapi.ts";
import { orderRequest } from "../../functions/schemas.ts";

const app = createApp({ db: createDatabase("postgres://nobody@127.0.0.1:1/none"), platform: "node", modules: modulesOnDemand });

describe("/openapi.json", () => {
  it("describes every route there is, and no other", () => {
    const described = Object.entries(openapi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = app.routes
      .filter((route) => ["GET", "POST"].includes(route.method) && !route.path.includes("*"))
      .map((route) => `${route.method} ${route.path.replace(/:(\w+)/g, "{$1}")}`);
    expect(new Set(described)).toEqual(new Set(served));
  });

  it("describes the body of an order as it is validated", () => {
    // That each product is named once is a check no JSON Schema can tell.
    const { $schema: _, ...validated } = toJsonSchema(orderRequest, { errorMode: "ignore" });
    expect(openapi.components.schemas.OrderRequest).toEqual(validated);
  });

  it("refers only to what it holds", async () => {
    const document = await (await app.request("/openapi.json")).json();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [reference, kind, name] of references) {
      expect(Object.keys(openapi.components[kind as "schemas" | "responses"]), reference).toContain(name);
    }
  });
});
