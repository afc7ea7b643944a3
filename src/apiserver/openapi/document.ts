/** The OpenAPI v3 document of one group and version, and the v2 document of all. */
import { Scale } from '#kube/kinds/autoscaling/scale.ts';
import { apiVersionOf } from '#kube/kind.ts';
import { openApiComponents, type OpenApiComponents, type OpenApiSchema } from '#kube/openapi.ts';
import { listComponent, listName, metaComponents } from '#apiserver/openapi/meta-components.ts';
import { type Operation, pathsOf, type PathItem } from '#apiserver/openapi/operations.ts';
import type { Parameter } from '#apiserver/openapi/parameters.ts';
import { swaggerSchema, swaggerSchemas } from '#apiserver/openapi/swagger-schema.ts';
import type { ServedKind } from '#apiserver/registry.ts';

const TITLE = 'Pinnace';

/** What every document says of kinds that CustomResourceDefinitions define. */
const DEFINED_INFO = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' };

export function documentOf(kinds: readonly ServedKind[], version: string): object {
  return {
    openapi: '3.0.0',
    info: kinds.every(({ kind }) => kind.definition) ? DEFINED_INFO : { title: TITLE, version },
    paths: Object.assign({}, ...kinds.map(pathsOf)) as Record<string, PathItem>,
    components: {
      schemas: schemasOf(kinds),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
  };
}

function schemasOf(kinds: readonly ServedKind[]): OpenApiComponents {
  const own = kinds.map(({ kind }) => kind);
  const needsScale = own.some(({ scale }) => scale !== undefined);
  const parts = kinds.flatMap((served) => Object.values(served.parts ?? {}).map(({ kind }) => kind));
  const stored = kinds.filter(({ virtual }) => virtual === undefined);
  const lists = stored.map(({ kind }) => [listName(kind), listComponent(kind)] as const);
  const schemas = {
    ...openApiComponents([...own, ...parts, ...(needsScale ? [Scale] : [])]),
    ...Object.fromEntries(lists),
    ...metaComponents,
  };
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Everything in the older form, which has one place for all schemas and no unions. */
export function swaggerOf(kinds: readonly ServedKind[], version: string): object {
  const paths = Object.assign({}, ...kinds.map(pathsOf)) as Record<string, PathItem>;
  return {
    swagger: '2.0',
    info: { title: TITLE, version },
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, swaggerItem(item)])),
    definitions: swaggerSchemas(schemasOf(kinds)),
    parameters: {},
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  };
}

function swaggerItem({ parameters, ...operations }: PathItem): object {
  const converted = Object.entries(operations).map(([method, operation]) => [
    method,
    swaggerOperation(operation as Operation),
  ]);
  return { ...Object.fromEntries(converted), parameters: parameters.map(swaggerParameter) };
}

function swaggerOperation({ requestBody, parameters = [], responses, ...operation }: Operation): object {
  const types = Object.keys(requestBody?.content ?? {});
  const [body] = Object.values(requestBody?.content ?? {});
  const sent = body ? [{ name: 'body', in: 'body', required: true, schema: swaggerSchema(body.schema) }] : [];
  const answers = Object.entries(responses).map(([code, { description, content = {} }]) => {
    const [answer] = Object.values(content) as { schema: OpenApiSchema }[];
    return [code, { description, ...(answer ? { schema: swaggerSchema(answer.schema) } : {}) }];
  });
  return {
    ...operation,
    consumes: types.length > 0 ? types : ['*/*'],
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    parameters: [...sent, ...parameters.map(swaggerParameter)],
    responses: Object.fromEntries(answers) as object,
  };
}

function swaggerParameter({ schema, ...parameter }: Parameter): object {
  return { ...parameter, ...schema };
}

/** `api/v1`, `apis/apps/v1`: where the document of a kind is found. */
export function documentPath({ kind }: ServedKind): string {
  return kind.group === '' ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;
}
