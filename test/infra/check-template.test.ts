import { beforeAll, describe, expect, it } from "vitest";
import { checkTemplate } from "./check-template.ts";
import { compileStack } from "./compile-template.ts";
import { resolveTemplate } from "./resolve-template.ts";
import { loadSpec, type Spec } from "./resource-spec.ts";
import type { Template } from "./template.ts";

let template: Template;
let spec: Spec;
beforeAll(async () => {
  template = resolveTemplate((await compileStack()).template);
  spec = loadSpec();
});

type Values = Record<string, unknown>;
interface Fault {
  readonly fault: string;
  /** Breaks the properties of the resource, or the resource itself. */
  readonly resource: string;
  readonly breakIt: (properties: Values, resource: Values) => void;
  /** The one problem that must be found. */
  readonly found: string;
}

const faults: readonly Fault[] = [
  {
    fault: "a type that does not exist",
    resource: "DatabaseProxy",
    breakIt: (_, resource) => Object.assign(resource, { Type: "AWS::RDS::DatabaseProxy" }),
    found: "DatabaseProxy: AWS::RDS::DatabaseProxy does not exist",
  },
  {
    fault: "an unknown property",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { RequireTls: true }),
    found: "DatabaseProxy: RequireTls is not known",
  },
  {
    fault: "an unknown member of a structure",
    resource: "DatabaseProxyTargets",
    breakIt: (properties) => Object.assign(properties.ConnectionPoolConfigurationInfo as Values, { BorrowTimeout: 5 }),
    found: "DatabaseProxyTargets.ConnectionPoolConfigurationInfo: BorrowTimeout is not known",
  },
  {
    fault: "an unknown member of a list's item",
    resource: "FunctionSecurityGroup",
    breakIt: (properties) => Object.assign((properties.SecurityGroupEgress as Values[])[0] ?? {}, { Port: 5432 }),
    found: "FunctionSecurityGroup.SecurityGroupEgress[0]: Port is not known",
  },
  {
    fault: "a missing required property",
    resource: "DatabaseProxy",
    breakIt: (properties) => delete properties.RoleArn,
    found: "DatabaseProxy: RoleArn is missing",
  },
  {
    fault: "a missing required member",
    resource: "SessionsPinned",
    breakIt: (properties) => delete (properties.Dimensions as Values[])[0]?.Name,
    found: "SessionsPinned.Dimensions[0]: Name is missing",
  },
  {
    fault: "a value outside an enumeration",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { EngineFamily: "POSTGRES" }),
    found: "DatabaseProxy.EngineFamily: is none of MYSQL, POSTGRESQL, SQLSERVER",
  },
  {
    fault: "a text for a number",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { IdleClientTimeout: "half an hour" }),
    found: "DatabaseProxy.IdleClientTimeout: is no integer",
  },
  {
    fault: "a text for a boolean",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { RequireTLS: "yes" }),
    found: "DatabaseProxy.RequireTLS: is no boolean",
  },
  {
    fault: "a single value for a list",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { VpcSubnetIds: "subnet-0a" }),
    found: "DatabaseProxy.VpcSubnetIds: is no list",
  },
  {
    fault: "a text put together for a list",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { VpcSubnetIds: { "Fn::Sub": "subnet-0a" } }),
    found: "DatabaseProxy.VpcSubnetIds: Fn::Sub gives no array",
  },
  {
    fault: "a list for a text",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { DBProxyName: ["a", "b"] }),
    found: "DatabaseProxy.DBProxyName: is no string",
  },
  {
    fault: "a text for a structure",
    resource: "DatabaseProxyTargets",
    breakIt: (properties) => Object.assign(properties, { ConnectionPoolConfigurationInfo: "default" }),
    found: "DatabaseProxyTargets.ConnectionPoolConfigurationInfo: is no structure",
  },
  {
    fault: "a tag without a value",
    resource: "Network",
    breakIt: (properties) => Object.assign(properties, { Tags: [{ Key: "Name" }] }),
    found: "Network.Tags[0]: Value is missing",
  },
  {
    fault: "an attribute the resource does not have",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { RoleArn: { "Fn::GetAtt": ["ProxyRole", "ARN"] } }),
    found: "DatabaseProxy.RoleArn: ProxyRole has no attribute ARN",
  },
  {
    fault: "an attribute of a resource that is not there",
    resource: "DatabaseProxy",
    breakIt: (properties) => Object.assign(properties, { RoleArn: { "Fn::GetAtt": "Role.Arn" } }),
    found: "DatabaseProxy.RoleArn: there is no resource Role to take Arn of",
  },
  {
    fault: "a reference to nothing",
    resource: "Throttled",
    breakIt: (properties) => Object.assign((properties.Dimensions as Values[])[0] ?? {}, { Value: { Ref: "ApiFunction" } }),
    found: "Throttled.Dimensions.0.Value: there is no ApiFunction to refer to",
  },
  {
    fault: "a placeholder for nothing",
    resource: "ProxyRole",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder
    breakIt: (properties) => Object.assign(properties, { RoleName: { "Fn::Sub": "${AWS::StackName}-${Stage}" } }),
    found: "ProxyRole.RoleName: there is no Stage to refer to",
  },
  {
    fault: "a reference from within a policy to nothing",
    resource: "ProxyRole",
    breakIt: (properties) => Object.assign(properties, { AssumeRolePolicyDocument: { Statement: [{ Resource: { Ref: "Gone" } }] } }),
    found: "ProxyRole.AssumeRolePolicyDocument.Statement.0.Resource: there is no Gone to refer to",
  },
  {
    fault: "a function CloudFormation does not have",
    resource: "ProxyRole",
    breakIt: (properties) => Object.assign(properties, { RoleName: { "Fn::Upper": "a" } }),
    found: "ProxyRole.RoleName: Fn::Upper is not known here",
  },
  {
    fault: "waiting for a resource that is not there",
    resource: "DatabaseProxyTargets",
    breakIt: (_, resource) => Object.assign(resource, { DependsOn: ["Writer"] }),
    found: "DatabaseProxyTargets: depends on Writer, which is not there",
  },
];

describe("the check of templates", () => {
  it("finds nothing in the template as it is", () => {
    expect(checkTemplate(template, spec)).toEqual([]);
  });

  it.each(faults)("finds $fault", ({ resource, breakIt, found }) => {
    const broken = structuredClone(template);
    const target = broken.Resources[resource] as unknown as { Properties: Values };
    breakIt(target.Properties, target as unknown as Values);
    expect(checkTemplate(broken, spec)).toContain(found);
  });

  it("finds an output of a resource that is not made", () => {
    const broken = { ...template, Outputs: { Host: { Value: { "Fn::GetAtt": ["DatabaseCluster", "Endpoint.Address"] } } } };
    expect(checkTemplate(broken, spec)).toEqual(["Outputs.Host: there is no resource DatabaseCluster to take Endpoint.Address of"]);
  });
});

describe("the resolution of conditions", () => {
  const conditional: Template = {
    Parameters: { Kind: { Type: "String", Default: "a" } },
    Conditions: {
      IsA: { "Fn::Equals": [{ Ref: "Kind" }, "a"] },
      IsB: { "Fn::Not": [{ Condition: "IsA" }] },
      IsEither: { "Fn::Or": [{ Condition: "IsA" }, { Condition: "IsB" }] },
      IsBoth: { "Fn::And": [{ Condition: "IsA" }, { Condition: "IsB" }] },
    },
    Resources: {
      A: { Type: "T", Condition: "IsA" },
      B: { Type: "T", Condition: "IsB", DependsOn: "A" },
      Never: { Type: "T", Condition: "IsBoth" },
      Both: {
        Type: "T",
        Condition: "IsEither",
        DependsOn: ["A", "B"],
        Properties: {
          Only: { "Fn::If": ["IsB", { Ref: "B" }, { Ref: "AWS::NoValue" }] },
          List: [{ "Fn::If": ["IsA", 1, { Ref: "AWS::NoValue" }] }],
        },
      },
    },
    Outputs: { OfB: { Condition: "IsB", Value: { Ref: "B" } } },
  };

  it("keeps what the default makes, and leaves out the rest", () => {
    expect(resolveTemplate(conditional)).toMatchObject({
      Resources: { A: {}, Both: { DependsOn: ["A"], Properties: { List: [1] } } },
      Outputs: {},
    });
    expect(Object.keys(resolveTemplate(conditional).Resources)).toEqual(["A", "Both"]);
    expect(resolveTemplate(conditional).Resources.Both?.Properties).not.toHaveProperty("Only");
  });

  it("keeps what a parameter makes", () => {
    const resolved = resolveTemplate(conditional, { Kind: "b" });
    expect(Object.keys(resolved.Resources)).toEqual(["B", "Both"]);
    expect(resolved.Resources.Both).toMatchObject({ DependsOn: ["B"], Properties: { Only: { Ref: "B" }, List: [] } });
    expect(Object.keys(resolved.Outputs ?? {})).toEqual(["OfB"]);
  });

  it("refuses a condition that is not declared", () => {
    expect(() => resolveTemplate({ Resources: { A: { Type: "T", Condition: "Gone" } } })).toThrow("there is no condition Gone");
  });
});
