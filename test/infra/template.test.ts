import { beforeAll, describe, expect, it } from "vitest";
import { checkTemplate } from "./check-template.ts";
import { compileStack } from "./compile-template.ts";
import { resolveTemplate } from "./resolve-template.ts";
import { loadSpec, type Spec } from "./resource-spec.ts";
import { entriesOf, intrinsicOf, type Resource, type Template } from "./template.ts";

/** Every way the stack can be deployed, in the parameters that decide a condition. */
const existingNetwork = { ExistingVpcId: "vpc-0a", ExistingSubnetA: "subnet-0a", ExistingSubnetB: "subnet-0b" };
const existingDatabase = {
  ...existingNetwork,
  ExistingDatabaseId: "orders",
  ExistingDatabaseResourceId: "db-AB12",
  ExistingDatabaseSecurityGroupId: "sg-0a",
};
const databases = [
  { DatabaseKind: "instance" },
  { DatabaseKind: "instance", EngineVersion: "18.1", ...existingNetwork },
  { DatabaseKind: "aurora" },
  { DatabaseKind: "aurora", ...existingNetwork },
  { DatabaseKind: "existing-instance", ...existingDatabase },
  { DatabaseKind: "existing-cluster", ...existingDatabase },
];
const secrets = [{}, { ApplicationSecretArn: "arn:aws:secretsmanager:eu-central-1:1:secret:app-A" }];
const alarms = [{}, { AlarmEmail: "a@example.com" }];
const ways = databases.flatMap((database) => secrets.flatMap((secret) => alarms.map((alarm) => ({ ...database, ...secret, ...alarm }))));

let template: Template;
let spec: Spec;
beforeAll(async () => {
  ({ template } = await compileStack());
  spec = loadSpec();
});

const properties = (of: Template, name: string) => of.Resources[name]?.Properties ?? {};
const ofType = (of: Template, type: string): [string, Resource][] =>
  Object.entries(of.Resources).filter(([, resource]) => resource.Type === type);

/** Every statement of every policy, wherever in the template it stands. */
function statementsIn(value: unknown): Record<string, unknown>[] {
  return entriesOf(value).flatMap(([key, item]) =>
    key === "Statement" && Array.isArray(item) ? (item as Record<string, unknown>[]) : statementsIn(item),
  );
}

describe("the compiled template", () => {
  it.each(ways)("fits AWS's description of its resources with %o", (parameters) => {
    expect(checkTemplate(resolveTemplate(template, parameters), spec)).toEqual([]);
  });

  it("takes every parameter used above, and refuses what has another form", () => {
    const declared = template.Parameters ?? {};
    for (const [name, value] of ways.flatMap((way) => Object.entries(way))) {
      const { AllowedValues, AllowedPattern } = declared[name] ?? {};
      expect(declared, name).toHaveProperty(name);
      if (AllowedValues) expect(AllowedValues).toContain(value);
      if (AllowedPattern) expect(value).toMatch(new RegExp(`^(?:${AllowedPattern})$`));
    }
    for (const [name, { Default, AllowedPattern }] of Object.entries(declared)) {
      if (AllowedPattern === undefined) continue;
      expect(String(Default), name).toMatch(new RegExp(`^(?:${AllowedPattern})$`));
      expect("?", name).not.toMatch(new RegExp(`^(?:${AllowedPattern})$`));
    }
  });

  it("uses every parameter and every condition it declares", () => {
    const text = JSON.stringify(template);
    for (const name of Object.keys(template.Parameters ?? {})) expect(text).toMatch(new RegExp(`"Ref":"${name}"|\\$\\{${name}\\}`));
    for (const name of Object.keys(template.Conditions ?? {}))
      expect(text).toMatch(new RegExp(`"Condition":"${name}"|"Fn::If":\\["${name}"`));
  });

  it("lets the functions sign in at this proxy, as one user, and nowhere else", () => {
    const [statement, ...more] = statementsIn(properties(template, "IamRoleLambdaExecution")).filter(({ Action }) =>
      [Action].flat().includes("rds-db:connect"),
    );
    expect(more).toEqual([]);
    expect(statement).toEqual({
      Effect: "Allow",
      Action: ["rds-db:connect"],
      Resource: {
        "Fn::Sub": [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholders
          "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${ProxyId}/warmline_app",
          { ProxyId: { "Fn::Select": [6, { "Fn::Split": [":", { "Fn::GetAtt": ["DatabaseProxy", "DBProxyArn"] }] }] } },
        ],
      },
    });
  });

  it.each(ways)("allows no action and no resource by a bare wildcard, and no wildcard in rds-db:connect, with %o", (parameters) => {
    const allowed = statementsIn(resolveTemplate(template, parameters).Resources).filter(({ Effect }) => Effect === "Allow");
    expect(allowed.length).toBeGreaterThan(3);
    for (const { Action, Resource: resource } of allowed) {
      for (const action of [Action].flat()) expect(action).not.toContain("*");
      for (const arn of [resource].flat()) expect(arn).not.toBe("*");
      if ([Action].flat().includes("rds-db:connect")) expect(JSON.stringify(resource)).not.toContain("*");
    }
  });

  it.each(ways)("lets nobody through the proxy without TLS and IAM, with %o", (parameters) => {
    const proxy = properties(resolveTemplate(template, parameters), "DatabaseProxy");
    expect(proxy.RequireTLS).toBe(true);
    expect(proxy.IdleClientTimeout).toBe(1800);
    if ("ApplicationSecretArn" in parameters) {
      expect(proxy.DefaultAuthScheme).toBe("NONE");
      expect(proxy.Auth).toEqual([{ AuthScheme: "SECRETS", IAMAuth: "REQUIRED", SecretArn: { Ref: "ApplicationSecretArn" } }]);
    } else {
      expect(proxy.DefaultAuthScheme).toBe("IAM_AUTH");
      expect(proxy).not.toHaveProperty("Auth");
    }
    const targets = properties(resolveTemplate(template, parameters), "DatabaseProxyTargets");
    expect(targets.ConnectionPoolConfigurationInfo).toMatchObject({ ConnectionBorrowTimeout: 5 });
    expect(Object.keys(targets).filter((key) => /^DB(Instance|Cluster)Identifiers$/.test(key))).toHaveLength(1);
  });

  it("gives the functions a verified connection by IAM: no password stands in the URL", () => {
    for (const [, { Properties = {} }] of ofType(template, "AWS::Lambda::Function")) {
      const { Variables } = Properties.Environment as { Variables: Record<string, { "Fn::Sub": string }> };
      expect(Object.keys(Variables).sort()).toEqual(["API_TOKEN", "DATABASE_URL"]);
      expect(Variables.DATABASE_URL?.["Fn::Sub"]).toMatch(
        /^postgresql:\/\/[a-z_]+@\$\{DatabaseProxy\.Endpoint\}:5432\/.+\?sslmode=verify-full$/,
      );
      expect(Variables.API_TOKEN?.["Fn::Sub"]).toMatch(/^\{\{resolve:secretsmanager:\$\{ApiToken\}:SecretString:token\}\}$/);
    }
  });

  it("holds no secret: whatever is called so is made by AWS or refers to where it is kept", () => {
    const texts: string[] = [];
    const walk = (key: string, value: unknown): void => {
      if (/password|secret|token/i.test(key) && typeof value === "string") texts.push(`${key}=${value}`);
      for (const [inner, item] of entriesOf(value)) walk(Array.isArray(value) ? key : inner, item);
    };
    walk(
      "",
      Object.values(template.Resources).map(({ Properties }) => Properties),
    );
    expect(texts).toEqual(["SecretStringTemplate={}"]);
    const database = ofType(template, "AWS::RDS::DBInstance").concat(ofType(template, "AWS::RDS::DBCluster"));
    for (const [name, { Properties = {} }] of database) {
      expect(Properties, name).not.toHaveProperty("MasterUserPassword");
      if ("MasterUsername" in Properties) expect(Properties.ManageMasterUserPassword).toBe(true);
    }
  });

  it("keeps the database encrypted, private, open to IAM, and its data when the stack goes", () => {
    for (const way of databases.slice(0, 4)) {
      const resolved = resolveTemplate(template, way as Record<string, string>);
      const [[name, database] = ["", { Type: "" }], ...more] = Object.entries(resolved.Resources).filter(
        ([, { Properties }]) => Properties && "MasterUsername" in Properties,
      );
      expect(more, name).toEqual([]);
      expect(database).toMatchObject({
        DeletionPolicy: "Snapshot",
        UpdateReplacePolicy: "Snapshot",
        Properties: { StorageEncrypted: true, EnableIAMDatabaseAuthentication: true },
      });
      for (const [, instance] of ofType(resolved, "AWS::RDS::DBInstance")) expect(instance.Properties?.PubliclyAccessible).toBe(false);
    }
  });

  it("opens port 5432 only, and only from one of its own security groups to another", () => {
    const rules = ofType(template, "AWS::EC2::SecurityGroupIngress").map(([, { Properties = {} }]) => Properties);
    for (const [name, { Properties = {} }] of ofType(template, "AWS::EC2::SecurityGroup")) {
      expect(Properties, name).not.toHaveProperty("SecurityGroupIngress");
      const [out, ...more] = Properties.SecurityGroupEgress as Record<string, unknown>[];
      expect(more).toEqual([]);
      // without a rule of its own a group would let everything out; the database's lets out what does not exist
      if (name === "DatabaseSecurityGroup") expect(out).toMatchObject({ CidrIp: "255.255.255.255/32", IpProtocol: "icmp" });
      else rules.push(out ?? {});
    }
    expect(rules).toHaveLength(6);
    for (const rule of rules) {
      expect(rule).toMatchObject({ IpProtocol: "tcp", FromPort: 5432, ToPort: 5432 });
      expect(intrinsicOf(rule.SourceSecurityGroupId ?? rule.DestinationSecurityGroupId)).toBeDefined();
    }
    expect(ofType(template, "AWS::EC2::InternetGateway")).toEqual([]);
  });

  it("runs both functions on Node 24 and arm64, bounded in number, with logs that end", () => {
    const functions = ofType(template, "AWS::Lambda::Function");
    expect(functions.map(([, { Properties }]) => [Properties?.Handler, Properties?.ReservedConcurrentExecutions])).toEqual([
      ["lambda.handler", 20],
      ["lambda-stream.handler", 5],
    ]);
    for (const [, { Properties }] of functions) expect(Properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"] });
    for (const [, { Properties }] of ofType(template, "AWS::Logs::LogGroup")) expect(Properties?.RetentionInDays).toBe(14);
    expect(ofType(template, "AWS::Lambda::Url").map(([, { Properties }]) => Properties?.InvokeMode)).toEqual([
      undefined,
      "RESPONSE_STREAM",
    ]);
  });

  it("warns of pinned sessions, of clients nobody should have, and of slow borrowing", () => {
    const metrics = ofType(template, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties?.MetricName);
    expect(metrics).toEqual(
      expect.arrayContaining(["DatabaseConnectionsCurrentlySessionPinned", "ClientConnections", "DatabaseConnectionsBorrowLatency"]),
    );
    const concurrency = ofType(template, "AWS::Lambda::Function").map(([, { Properties }]) =>
      Number(Properties?.ReservedConcurrentExecutions),
    );
    expect(properties(template, "TooManyClients").Threshold).toBe(2 * concurrency.reduce((sum, each) => sum + each));
  });
});
