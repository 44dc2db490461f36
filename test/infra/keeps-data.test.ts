import { beforeAll, describe, expect, it } from "vitest";
import { compileStack, type Stack } from "./compile-template.ts";
import { brokenRules, resolveTemplate } from "./resolve-template.ts";
import { loadSpec, type Spec } from "./resource-spec.ts";
import type { Template } from "./template.ts";
import { changesBetween, isAllowed } from "./updates.ts";

type Parameters = Readonly<Record<string, string>>;

const network = { ExistingVpcId: "vpc-0a", ExistingSubnetA: "subnet-0a", ExistingSubnetB: "subnet-0b" };
const existing = {
  ...network,
  ExistingDatabaseId: "orders",
  ExistingDatabaseResourceId: "db-AB12",
  ExistingDatabaseSecurityGroupId: "sg-0a",
};
const kinds: readonly Parameters[] = [
  { DatabaseKind: "instance" },
  { DatabaseKind: "instance", MultiAz: "true", StorageGb: "50", InstanceClass: "db.m7g.large", ...network },
  { DatabaseKind: "aurora" },
  { DatabaseKind: "aurora", MultiAz: "true", AuroraMaxCapacity: "8" },
  { DatabaseKind: "existing-instance", ...existing },
  { DatabaseKind: "existing-cluster", ...existing },
];

let stack: Stack;
let spec: Spec;
beforeAll(async () => {
  stack = await compileStack();
  spec = loadSpec();
});

/** What stands in the stack once it is deployed with these parameters, their values among it. */
function deployed(given: Parameters): Template {
  const { Parameters: declared = {}, ...resolved } = resolveTemplate(stack.template, given);
  const text = JSON.stringify(resolved).replaceAll(/\{"Ref":"(\w+)"\}/g, (reference, name: string) =>
    name in declared ? JSON.stringify(given[name] ?? declared[name]?.Default) : reference,
  );
  return JSON.parse(text);
}

/** What becomes of what holds data: replaced or deleted where the stack's policy lets it. */
const update = (from: Parameters, to: Parameters) => {
  const changes = changesBetween(deployed(from), deployed(to), spec);
  const database = changes.filter(({ type, name }) => /^AWS::RDS::DB(Instance|Cluster)$/.test(type) && /^Database/.test(name));
  return { changes, database, refused: database.filter((change) => !isAllowed(stack.policy, change)) };
};

describe("a second deployment", () => {
  it.each(kinds)("with the same parameters changes nothing: %o", (parameters) => {
    expect(update(parameters, parameters).changes).toEqual([]);
  });

  it.each(kinds.flatMap((from) => [...kinds, {}].map((to) => ({ from, to }))))(
    "from $from to $to leaves no database empty",
    ({ from, to }) => {
      const { database, refused } = update(from, to);
      expect(database.filter(({ action }) => action !== "Update:Modify")).toEqual(refused);
    },
  );

  it("is refused where it would lose what the first has made", () => {
    expect(update({ DatabaseKind: "aurora" }, {}).refused).toEqual([
      { name: "DatabaseCluster", type: "AWS::RDS::DBCluster", action: "Update:Delete" },
    ]);
    expect(update({}, { DatabaseKind: "aurora" }).refused).toEqual([
      { name: "DatabaseInstance", type: "AWS::RDS::DBInstance", action: "Update:Delete" },
    ]);
    for (const kind of ["instance", "aurora"]) {
      expect(update({ DatabaseKind: kind }, { DatabaseKind: kind, DatabaseName: "other" }).refused).toMatchObject([
        { action: "Update:Replace" },
      ]);
    }
  });

  it("may grow a database, and take its reader away", () => {
    const small = { DatabaseKind: "instance", MultiAz: "true" };
    // MultiAZ is said to replace some engines' instances: the policy refuses where it would
    expect(update(small, { ...small, StorageGb: "100", MaxStorageGb: "500", InstanceClass: "db.m7g.large" }).refused).toEqual([]);
    const cluster = { DatabaseKind: "aurora", MultiAz: "true" };
    const { changes } = update(cluster, { DatabaseKind: "aurora", AuroraMaxCapacity: "16" });
    expect(changes.filter((change) => !isAllowed(stack.policy, change))).toEqual([]);
  });
});

describe("parameters", () => {
  it.each(kinds)("fit together: %o", (parameters) => {
    expect(brokenRules(stack.template, parameters)).toEqual([]);
  });

  it.each([
    [{ DatabaseKind: "existing-instance", ...existing, ExistingDatabaseId: "" }, /existingDatabaseId/],
    [{ DatabaseKind: "existing-cluster", ...existing, ExistingDatabaseResourceId: "" }, /existingDatabaseResourceId.*applicationSecretArn/],
    [{ DatabaseKind: "existing-cluster", ...existing, ExistingDatabaseSecurityGroupId: "" }, /existingDatabaseSecurityGroupId/],
    [
      { DatabaseKind: "existing-instance", ...existing, ...{ ExistingVpcId: "", ExistingSubnetA: "", ExistingSubnetB: "" } },
      /existingVpcId/,
    ],
    [existing, /existing-instance or existing-cluster/],
    [{ ...network, ExistingSubnetB: "" }, /existingSubnetA and existingSubnetB/],
    [{ ...network, ExistingSubnetB: "subnet-0a" }, /two zones/],
    [{ ExistingSubnetA: "subnet-0a" }, /without existingVpcId/],
  ] as const)("that do not fit together are refused with the rule that says so: %o", (parameters, words) => {
    expect(brokenRules(stack.template, parameters).join(" ")).toMatch(words);
  });

  it("are each refused when they are wrong", () => {
    const wrong: Parameters = {
      DatabaseKind: "mysql",
      DatabaseName: "Drop table",
      EngineVersion: "latest",
      InstanceClass: "large",
      StorageGb: "19",
      MaxStorageGb: "5",
      MultiAz: "yes",
      DeletionProtection: "on",
      AuroraMaxCapacity: "0",
      ExistingDatabaseId: "1 two",
      ExistingDatabaseResourceId: "orders",
      ExistingDatabaseSecurityGroupId: "default",
      ExistingVpcId: "default",
      ExistingSubnetA: "a",
      ExistingSubnetB: "b",
      ApplicationSecretArn: "my-secret",
      AlarmEmail: "me",
    };
    const declared = stack.template.Parameters ?? {};
    expect(Object.keys(wrong).sort()).toEqual(Object.keys(declared).sort());
    for (const [name, { AllowedValues, AllowedPattern, MinValue, MaxValue }] of Object.entries(declared)) {
      const value = wrong[name] as string;
      const isTaken =
        (AllowedValues?.includes(value) ?? true) &&
        (AllowedPattern === undefined || new RegExp(`^(?:${AllowedPattern})$`).test(value)) &&
        (MinValue === undefined || Number(value) >= MinValue) &&
        (MaxValue === undefined || Number(value) <= MaxValue);
      expect(isTaken, name).toBe(false);
    }
  });
});
