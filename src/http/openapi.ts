import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ERRORS } from '../core/errors';
import { PROBLEM_TYPE } from './problem';

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details; `code` is stable, the texts are not.',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: { type: 'string', example: 'urn:hookline:error:not_found' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    detail: { type: 'string' },
    requestId: { type: 'string', format: 'uuid' },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string', example: 'filters[0].levels' }, message: { type: 'string' } },
      },
    },
  },
} as const;

export function openApiDocument(app: INestApplication, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Hookline')
    .setDescription('Takes webhooks in, keeps every one of them, and sends the right ones on. Every error is problem+json.')
    .setVersion(version)
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'An API key' })
    .build();
  const document = SwaggerModule.createDocument(app, config);
  const problem = { description: 'A problem', content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA as never } };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as { responses?: Record<string, unknown> }[]) {
      if (typeof operation === 'object' && operation.responses !== undefined) operation.responses['default'] ??= problem;
    }
  }
  return document;
}

/** `/api/openapi.json`, and `/api/docs` to read and try it. The document is made when it is first asked for. */
export function serveOpenApi(app: NestFastifyApplication, version: string): void {
  const fastify = app.getHttpAdapter().getInstance();
  let json: string | undefined;
  fastify.get('/api/openapi.json', (_request, reply) => {
    json ??= JSON.stringify(openApiDocument(app, version));
    return reply.type('application/json').send(json);
  });
  for (const [path, type, load] of UI_FILES) {
    let content: string | undefined;
    fastify.get(path, (_request, reply) => {
      content ??= load();
      return reply.header('content-security-policy', UI_POLICY).header('cache-control', 'max-age=3600').type(type).send(content);
    });
  }
}

const UI_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** The viewer comes with @nestjs/swagger. */
const uiFile = (name: string) => (): string => {
  const fromSwagger = createRequire(require.resolve('@nestjs/swagger'));
  return readFileSync(fromSwagger.resolve(`swagger-ui-dist/${name}`), 'utf8');
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Hookline API</title>
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="ui"></div>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;

const UI_FILES: readonly (readonly [path: string, type: string, load: () => string])[] = [
  ['/api/docs', 'text/html; charset=utf-8', () => PAGE],
  ['/api/docs/start.js', 'text/javascript', () => "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#ui' });\n"],
  ['/api/docs/swagger-ui.css', 'text/css', uiFile('swagger-ui.css')],
  ['/api/docs/swagger-ui-bundle.js', 'text/javascript', uiFile('swagger-ui-bundle.js')],
];
