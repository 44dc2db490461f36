import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";

/** What a property may hold. */
export interface PropertyType {
  readonly type: string;
  readonly allowedValues?: readonly (string | number)[];
  readonly element?: PropertyType;
  readonly types?: readonly PropertyType[];
  readonly reference?: { readonly $ref: string };
}

/** A property and whether it has to be there. */
export interface PropertySpec {
  readonly type: PropertyType;
  readonly previousTypes?: readonly PropertyType[];
  readonly required?: boolean;
  /** Whether a change of it makes a new resource. */
  readonly causesReplacement?: "yes" | "no" | "maybe";
}

/** A resource type as AWS describes it. */
export interface ResourceSpec {
  readonly properties: Readonly<Record<string, PropertySpec>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** AWS's description of its resource types, from the package and not from the network. */
export interface Spec {
  /** Undefined for a type that does not exist. */
  resource(type: string): ResourceSpec | undefined;
  /** The members of a structure a property refers to. */
  structure(reference: { readonly $ref: string }): ResourceSpec["properties"];
}

/** Loads the description that `@aws-cdk/aws-service-spec` carries. */
export function loadSpec(): Spec {
  const database = loadAwsServiceSpecSync();
  const resources = new Map(database.all("resource").map((resource) => [resource.cloudFormationType, resource as ResourceSpec]));
  return {
    resource: (type) => resources.get(type),
    structure: ({ $ref }) => database.get("typeDefinition", $ref).properties as ResourceSpec["properties"],
  };
}
