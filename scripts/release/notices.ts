import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The file of the tarball that holds the notices. */
export const NOTICES = join(root, "THIRD-PARTY-NOTICES.md");

/** What users bundle, by the conditions under which each is bundled: a worker, an edge function, a Lambda handler. */
const bundles = [
  { conditions: ["workerd", "worker"], entries: ["warmline", "warmline/hyperdrive", "warmline/http", "warmline/tcp", "warmline/pool"] },
  { conditions: ["edge-light"], entries: ["warmline"] },
  { conditions: ["node"], entries: ["warmline", "warmline/tcp", "warmline/pool", "warmline/lambda"] },
] as const;

interface Manifest {
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

/**
 * The licences of every package whose code a bundle of an entry holds besides warmline's own, as one text.
 * @throws when one of them names no licence.
 */
export async function writeNotices(): Promise<string> {
  const names = new Set<string>();
  for (const { conditions, entries } of bundles) {
    const { metafile } = await build({
      stdin: { contents: entries.map((entry, index) => `export * as entry${index} from "${entry}";`).join("\n"), resolveDir: root },
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      conditions: [...conditions],
      external: ["pg-native", "cloudflare:*", "@aws-sdk/*", "@opentelemetry/*"],
      logLevel: "error",
    });
    for (const path of Object.keys(metafile.inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  const notices = await Promise.all([...names].sort().map(notice));
  return `# Notices of what is bundled

A bundle of warmline's entries, in a worker, an edge function or a Lambda handler, holds code of the packages below, each as far as the entry uses
it; the tarball itself holds none of it. \`npm run release\` checks that this list is whole.

${notices.join("\n")}`;
}

async function notice(name: string): Promise<string> {
  const folder = join(root, "node_modules", name);
  const { version, license, author } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  if (license === undefined) throw new Error(`${name} names no licence.`);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const by = typeof author === "object" ? author.name : author;
  const text =
    file === undefined
      ? `Named in its manifest${by === undefined ? "" : `, by ${by}`}.`
      : (await readFile(join(folder, file), "utf8")).trim();
  return `## ${name} ${version}, ${license}\n\n\`\`\`text\n${text.replaceAll("\r", "")}\n\`\`\`\n`;
}
