import { clientRules } from "./client-rules.ts";
import type { FileRule } from "./code-rule.ts";
import { projectRules } from "./project-rules.ts";
import { secretRules } from "./secret-rules.ts";

/** Rules over one file each. */
export const fileRules: readonly FileRule[] = [...clientRules, ...secretRules];

/** Every rule over sources. */
export const codeRules = [...fileRules, ...projectRules];
