// Compiled, never run: every entry of the package has one public type, whichever condition chose it.
import type * as browser from "../../src/entry/browser.ts";
import type * as edge from "../../src/entry/edge.ts";
import type * as node from "../../src/entry/node.ts";
import type * as pool from "../../src/entry/pool.ts";
import type * as workerd from "../../src/entry/workerd.ts";
import type * as workerdPool from "../../src/entry/workerd-pool.ts";
import type * as keep from "../../src/keep/keep.ts";
import type * as workerdKeep from "../../src/keep/workerd.ts";
import { type Equal, expectTrue } from "./assertions.ts";

expectTrue<Equal<typeof edge, typeof node>>();
expectTrue<Equal<typeof workerd, typeof node>>();
expectTrue<Equal<typeof edge.createDatabase, typeof node.createDatabase>>();
expectTrue<Equal<typeof workerd.createDatabase, typeof node.createDatabase>>();
expectTrue<Equal<typeof browser, typeof node>>();
expectTrue<Equal<typeof browser.createDatabase, typeof node.createDatabase>>();
expectTrue<Equal<typeof workerdPool.sharedPool, typeof pool.sharedPool>>();
expectTrue<Equal<typeof workerdKeep, typeof keep>>();
